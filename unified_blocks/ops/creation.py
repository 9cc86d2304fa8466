"""New tensors, with the framework, dtype and device of the tensor `like`.

A fraction does not fit a `like` of integers, and is a `TypeError`.
"""

from __future__ import annotations

from typing import Any

from unified_blocks.ops.dispatch import namespace_of, together


def full(shape: tuple[int, ...], value: float, /, *, like: Any) -> Any:
    """A tensor of a shape, filled with a number.

    Example::

        ub.ops.full((2, 2), 7, like=ub.from_numpy([1.0]))  # [[7, 7], [7, 7]]
    """
    return together("full", like, value).full(tuple(shape), value, like)


def zeros(shape: tuple[int, ...], /, *, like: Any) -> Any:
    """A tensor of zeros.

    Example::

        ub.ops.zeros((2, 3), like=ub.from_numpy([1.0]))  # [[0, 0, 0], [0, 0, 0]]
    """
    return full(shape, 0, like=like)


def ones(shape: tuple[int, ...], /, *, like: Any) -> Any:
    """A tensor of ones.

    Example::

        ub.ops.ones((2, 3), like=ub.from_numpy([1.0]))  # [[1, 1, 1], [1, 1, 1]]
    """
    return full(shape, 1, like=like)


def full_like(x: Any, value: float, /) -> Any:
    """A tensor of the shape of `x`, filled with a number.

    Example::

        ub.ops.full_like(ub.from_numpy([[1.0, 2.0]]), 7)  # [[7, 7]]
    """
    return together("full_like", x, value).full_like(x, value)


def zeros_like(x: Any, /) -> Any:
    """A tensor of zeros, of the shape of `x`.

    Example::

        ub.ops.zeros_like(ub.from_numpy([[1.0, 2.0]]))  # [[0, 0]]
    """
    return full_like(x, 0)


def ones_like(x: Any, /) -> Any:
    """A tensor of ones, of the shape of `x`.

    Example::

        ub.ops.ones_like(ub.from_numpy([[1.0, 2.0]]))  # [[1, 1]]
    """
    return full_like(x, 1)


def arange(start: float, stop: float | None = None, step: float = 1, /, *, like: Any) -> Any:
    """`start`, `start + step`, …, excluding `stop`; with one number, from 0 to it.

    Raises:
        ValueError: a step of 0.

    Example::

        ub.ops.arange(1, 10, 3, like=ub.from_numpy([0]))  # [1, 4, 7]
    """
    start, stop = (0, start) if stop is None else (start, stop)
    if step == 0:
        raise ValueError("ops.arange: step must not be 0; got step=0")
    if (stop - start) * step < 0:
        stop = start  # nothing
    return together("arange", like, start, stop, step).arange(start, stop, step, like)


def eye(n: int, /, *, like: Any) -> Any:
    """The identity matrix, `(n, n)`.

    Example::

        ub.ops.eye(2, like=ub.from_numpy([0.0]))  # [[1, 0], [0, 1]]
    """
    return namespace_of("eye", like).eye(n, like)
