"""Operations that reduce some axes: `axis` is None for all of them, a number, or several.

A negative axis counts from the last. With `keepdims` a reduced axis stays, with size 1.
"""

from __future__ import annotations

from typing import Any

from unified_blocks.ops import elementwise
from unified_blocks.ops.creation import ones_like
from unified_blocks.ops.dispatch import floating, namespace_of, truth

Axis = int | tuple[int, ...] | None


def sum(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """`Σ x`; for integers and truth values it is an int64.

    Example::

        ub.ops.sum(ub.from_numpy([[1.0, 2.0], [3.0, 4.0]]), axis=0)  # [4, 6]
    """
    return namespace_of("sum", x).sum(x, axis_of("sum", x, axis), keepdims)


def mean(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """`Σ x / n`, of floating-point numbers.

    Example::

        x = ub.from_numpy([[1.0, 2.0], [3.0, 4.0]])
        ub.ops.mean(x, axis=-1, keepdims=True)  # [[1.5], [3.5]]
    """
    return floating("mean", x).mean(x, axis_of("mean", x, axis), keepdims)


def max(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest; frameworks differ in how equal ones share the gradient.

    Example::

        ub.ops.max(ub.from_numpy([[1.0, 4.0], [3.0, 2.0]]), axis=0)  # [3, 4]
    """
    return namespace_of("max", x).max(x, axis_of("max", x, axis), keepdims)


def min(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest; frameworks differ in how equal ones share the gradient.

    Example::

        ub.ops.min(ub.from_numpy([[1.0, 4.0], [3.0, 2.0]]), axis=0)  # [1, 2]
    """
    return namespace_of("min", x).min(x, axis_of("min", x, axis), keepdims)


def prod(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """`Π x`, of floating-point numbers.

    Example::

        ub.ops.prod(ub.from_numpy([2.0, 3.0, 4.0]))  # 24
    """
    return floating("prod", x).prod(x, axis_of("prod", x, axis), keepdims)


def var(x: Any, /, *, axis: Axis = None, correction: float = 0, keepdims: bool = False) -> Any:
    """`Σ (x - mean(x))² / (n - correction)`: biased, as NumPy's, unless the correction is 1.

    Example::

        x = ub.from_numpy([[1.0, 2.0, 3.0, 4.0]])
        ub.ops.var(x, axis=-1)  # [1.25]
        ub.ops.var(x, axis=-1, correction=1)  # [1.667]
    """
    squares = elementwise.square(x - mean(x, axis=axis, keepdims=True))
    if correction == 0:
        return mean(squares, axis=axis, keepdims=keepdims)
    n = sum(ones_like(x), axis=axis, keepdims=keepdims)  # a symbol does not tell its sizes
    return sum(squares, axis=axis, keepdims=keepdims) / (n - correction)


def std(x: Any, /, *, axis: Axis = None, correction: float = 0, keepdims: bool = False) -> Any:
    """`√var(x)`.

    Example::

        ub.ops.std(ub.from_numpy([[1.0, 2.0, 3.0, 4.0]]), axis=-1)  # [1.118]
    """
    return elementwise.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def any(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether one of the truth values is true.

    Example::

        ub.ops.any(ub.from_numpy([[False, True], [False, False]]), axis=1)  # [True, False]
    """
    return truth("any", x).any(x, axis_of("any", x, axis), keepdims)


def all(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether all of the truth values are true.

    Example::

        ub.ops.all(ub.from_numpy([[True, True], [False, True]]), axis=1)  # [True, False]
    """
    return truth("all", x).all(x, axis_of("all", x, axis), keepdims)


def argmax(x: Any, /, *, axis: int = -1) -> Any:
    """The index of the largest along an axis, the first of equal ones; an int64.

    Example::

        ub.ops.argmax(ub.from_numpy([[1.0, 5.0, 2.0], [7.0, 0.0, 7.0]]))  # [1, 0]
    """
    return namespace_of("argmax", x).argmax(x, axis_of("argmax", x, axis))


def argmin(x: Any, /, *, axis: int = -1) -> Any:
    """The index of the smallest along an axis, the first of equal ones; an int64.

    Example::

        ub.ops.argmin(ub.from_numpy([[1.0, 5.0, 2.0], [7.0, 0.0, 7.0]]))  # [0, 1]
    """
    return namespace_of("argmin", x).argmin(x, axis_of("argmin", x, axis))


def logsumexp(x: Any, /, *, axis: int = -1, keepdims: bool = False) -> Any:
    """`log Σ exp(x)` along an axis, without overflow.

    Example::

        ub.ops.logsumexp(ub.from_numpy([1000.0, 1000.0]))  # 1000.693
    """
    return floating("logsumexp", x).logsumexp(x, axis_of("logsumexp", x, axis), keepdims)


def rank_of(x: Any) -> int | None:
    """The number of dimensions of `x`; None when the tensor does not know it."""
    shape = getattr(x, "shape", None)
    if isinstance(shape, tuple | list):
        return len(shape)
    rank = getattr(shape, "rank", None)  # TensorFlow's; a symbol has another symbol here
    return rank if isinstance(rank, int) else None


def axis_of(name: str, x: Any, axis: Any) -> Any:
    """`axis`, checked against `x`; counted from 0 where the number of dimensions is known.

    Raises:
        ValueError: when an axis is out of range, or named twice.
    """
    if axis is None:
        return None
    rank = rank_of(x)
    if type(axis) is int and rank is not None and -rank <= axis < rank:  # nearly every call
        return axis % rank
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not axes:
        raise ValueError(f"ops.{name}: axis must be None, a number or several; got axis=()")
    if rank is not None:
        for one in axes:
            if not -rank <= one < rank:
                raise ValueError(
                    f"ops.{name}: axis must be in [{-rank}, {rank}) for {rank} dimensions; "
                    f"got axis={one}"
                )
        if len({one % rank for one in axes}) < len(axes):
            raise ValueError(f"ops.{name}: axes must differ; got axis={axis}")
        axes = tuple(one % rank for one in axes)
    return axes if isinstance(axis, tuple) else axes[0]
