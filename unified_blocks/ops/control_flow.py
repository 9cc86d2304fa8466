"""Loops and branches on values, for graphs that contain no Python.

In a portable block Python's `while` and `if` work as well, except where MXNet makes a graph and
where XLA compiles a gradient. Eagerly these functions are Python's `while` and `if`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unified_blocks.ops import dispatch


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    state: tuple[Any, ...],
    /,
    *,
    max_iterations: int,
) -> tuple[Any, ...]:
    """`while cond(*state): state = body(*state)`, at most `max_iterations` times.

    Args:
        cond: returns a truth value, a tensor of shape `()`.
        body: returns the new state: as many tensors, of the same shapes and dtypes.
        state: the initial state, a tuple of tensors.
        max_iterations: the loop ends after this many, even if `cond` still holds.

    Returns:
        The last state.

    Raises:
        TypeError: a `state` that is not a tuple.
        ValueError: a `body` that returns another number of tensors, or `max_iterations` below 0.
        UnsupportedError: on MXNet, hybridized, while gradients are recorded: its loops have none.

    Example::

        def halved(x):
            large = lambda x: ub.ops.greater(ub.ops.sum(x), 1)
            return ub.ops.while_loop(large, lambda x: (x / 2,), (x,), max_iterations=10)[0]

        ub.Lambda(halved)(ub.from_numpy([20.0, 12.0]))  # [0.625, 0.375]
    """
    if max_iterations < 0:
        raise ValueError(
            "ops.while_loop: max_iterations must be at least 0; got "
            f"max_iterations={max_iterations}"
        )
    if not isinstance(state, tuple | list) or not state:
        raise TypeError(
            "ops.while_loop: state must be a tuple of at least one tensor; got "
            f"{type(state).__name__}: write (x,) for one"
        )
    state = tuple(state)

    def checked(*values: Any) -> tuple[Any, ...]:
        found = body(*values)
        found = tuple(found) if isinstance(found, tuple | list) else (found,)
        if len(found) != len(state):
            raise ValueError(
                f"ops.while_loop: body must give {len(state)} tensors, as the state has; got "
                f"{len(found)}"
            )
        return found

    namespace = dispatch.namespace_of("while_loop", state[0])
    return tuple(namespace.while_loop(cond, checked, state, max_iterations))


def cond(
    pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], /, *operands: Any
) -> Any:
    """`true_fn(*operands) if pred else false_fn(*operands)`.

    Args:
        pred: a truth value, a tensor of shape `()`.
        true_fn, false_fn: each returns one tensor, of the same shape and dtype.
        *operands: tensors.

    Raises:
        UnsupportedError: on MXNet, hybridized, while gradients are recorded.

    Example::

        def folded(x):
            return ub.ops.cond(ub.ops.greater(ub.ops.sum(x), 0), lambda x: x, lambda x: -x, x)

        ub.Lambda(folded)(ub.from_numpy([-3.0, 1.0]))  # [3, -1]
    """
    return dispatch.namespace_of("cond", pred).cond(pred, true_fn, false_fn, operands)
