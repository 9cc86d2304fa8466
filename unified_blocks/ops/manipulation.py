"""Operations that change the shape of tensors, or pick and join parts of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from unified_blocks.ops.dispatch import beside, namespace_of, together, whole
from unified_blocks.ops.reductions import axis_of, rank_of


class Keep:
    """The type of `KEEP`.

    Example::

        x = ub.from_numpy(np.zeros((2, 5, 12)))
        ub.ops.reshape(x, (ub.KEEP, -1))  # (2, 60)
    """

    def __repr__(self) -> str:
        return "ub.KEEP"

    def __reduce__(self) -> str:
        return "KEEP"


KEEP: Final = Keep()
"""In the shape given to `reshape`: the size of the input at this place."""


def reshape(x: Any, shape: Sequence[int | Keep], /) -> Any:
    """`x` in another shape, elements in the same (row-major) order.

    Args:
        x: a tensor.
        shape: sizes. `-1`, at most once, stands for the size that the others leave, and `KEEP` for
            the size of the input at the same place. With these a block needs no known sizes, and
            can be hybridized.

    Raises:
        ValueError: for two `-1`, or a `KEEP` beyond the dimensions of `x`.

    Example::

        X = ub.from_numpy(np.zeros((2, 5, 12)))
        ub.ops.reshape(X, (ub.KEEP, ub.KEEP, 3, -1))  # (2, 5, 3, 4)
    """
    if sum(size is not KEEP and size == -1 for size in shape) > 1:
        raise ValueError(f"ops.reshape: at most one size can be -1; got shape={tuple(shape)}")
    rank = rank_of(x)
    if rank is not None and any(size is KEEP for size in shape[rank:]):
        raise ValueError(
            f"ops.reshape: KEEP must stand for one of the {rank} dimensions of the input; got "
            f"shape={tuple(shape)}"
        )
    return namespace_of("reshape", x).reshape(x, tuple(shape))


def permute_dims(x: Any, axes: tuple[int, ...], /) -> Any:
    """`x` with its axes in another order: axis i of the output is `axes[i]` of the input.

    Raises:
        ValueError: when `axes` does not name every axis once.

    Example::

        ub.ops.permute_dims(ub.from_numpy(np.zeros((2, 3, 4))), (0, 2, 1))  # (2, 4, 3)
    """
    rank = len(axes)
    if rank_of(x) not in (None, rank) or sorted(axis % rank for axis in axes) != list(range(rank)):
        raise ValueError(
            f"ops.permute_dims: axes must be every axis once; got axes={axes} for {rank_of(x)} "
            "dimensions"
        )
    return namespace_of("permute_dims", x).permute_dims(x, tuple(axis % rank for axis in axes))


def expand_dims(x: Any, /, *, axis: int) -> Any:
    """`x` with a new axis of size 1, at that place of the output.

    Example::

        ub.ops.expand_dims(ub.from_numpy([1, 2]), axis=0)  # [[1, 2]]
    """
    rank = rank_of(x)
    if rank is not None and not -rank - 1 <= axis <= rank:
        raise ValueError(
            f"ops.expand_dims: axis must be in [{-rank - 1}, {rank}] for {rank} dimensions; "
            f"got axis={axis}"
        )
    return namespace_of("expand_dims", x).expand_dims(x, axis)


def squeeze(x: Any, /, *, axis: int | tuple[int, ...]) -> Any:
    """`x` without an axis, or several, whose size is 1.

    Example::

        ub.ops.squeeze(ub.from_numpy([[1, 2]]), axis=0)  # [1, 2]
    """
    axis = axis_of("squeeze", x, axis)
    shape = None if rank_of(x) is None else x.shape
    axes = axis if isinstance(axis, tuple) else (axis,)
    if shape is not None and any(shape[one] not in (1, None) for one in axes):
        raise ValueError(
            f"ops.squeeze: the size of the axis must be 1; got axis={axis} of {tuple(shape)}"
        )
    return namespace_of("squeeze", x).squeeze(x, axis)


def concat(arrays: Sequence[Any], /, *, axis: int = 0) -> Any:
    """Tensors joined along an axis that they have; the other sizes are equal.

    Example::

        ub.ops.concat([ub.from_numpy([[1, 2]]), ub.from_numpy([[3]])], axis=1)  # [[1, 2, 3]]
    """
    arrays = list(arrays)
    namespace = together("concat", *arrays)
    return namespace.concat(arrays, axis_of("concat", arrays[0], axis))


def stack(arrays: Sequence[Any], /, *, axis: int = 0) -> Any:
    """Tensors of one shape joined along a new axis, at that place of the output.

    Example::

        ub.ops.stack([ub.from_numpy([1, 2]), ub.from_numpy([3, 4])], axis=1)  # [[1, 3], [2, 4]]
    """
    arrays = list(arrays)
    return together("stack", *arrays).stack(arrays, axis)


def split(x: Any, sections: int, /, *, axis: int = 0) -> list[Any]:
    """`x` split into `sections` parts of equal size along an axis.

    Raises:
        ValueError: when the size of the axis is not a multiple of `sections`.

    Example::

        ub.ops.split(ub.from_numpy([1, 2, 3, 4]), 2)  # [[1, 2], [3, 4]]
    """
    axis = axis_of("split", x, axis)
    shape = None if rank_of(x) is None else x.shape
    if sections < 1 or (shape is not None and shape[axis] is not None and shape[axis] % sections):
        raise ValueError(
            f"ops.split: sections must divide the size of the axis; got sections={sections}, "
            f"axis={axis} of {None if shape is None else tuple(shape)}"
        )
    return list(namespace_of("split", x).split(x, sections, axis))


def broadcast_to(x: Any, shape: tuple[int, ...], /) -> Any:
    """`x` repeated along axes of size 1, and along new ones in front, to a shape.

    Example::

        ub.ops.broadcast_to(ub.from_numpy([1, 2]), (2, 2))  # [[1, 2], [1, 2]]
    """
    return namespace_of("broadcast_to", x).broadcast_to(x, tuple(shape))


def flip(x: Any, /, *, axis: int | tuple[int, ...]) -> Any:
    """`x` in reverse order along an axis, or several.

    Example::

        ub.ops.flip(ub.from_numpy([[1, 2, 3]]), axis=1)  # [[3, 2, 1]]
    """
    namespace, axis = namespace_of("flip", x), axis_of("flip", x, axis)
    for one in axis if isinstance(axis, tuple) else (axis,):
        x = namespace.flip(x, one)
    return x


def take(x: Any, indices: Any, /, *, axis: int) -> Any:
    """The entries of `x` at the indices `(k,)` along an axis of size n.

    An index outside [0, n) is an IndexError on PyTorch. On TensorFlow and MXNet, where a check
    would wait for the device, its entry is nan; where `x` holds integers, which have no nan, it is
    the smallest of their dtype, and where `x` holds truth values, True.

    Raises:
        TypeError: for indices that are not integers.

    Example::

        ub.ops.take(ub.from_numpy([10, 20, 30]), ub.from_numpy([2, 0]), axis=0)  # [30, 10]
    """
    if rank_of(indices) not in (None, 1):
        raise ValueError(f"ops.take: indices must have one axis; got {rank_of(indices)}")
    namespace = beside("take", x, indices)
    return namespace.take(x, whole("take", indices), axis_of("take", x, axis))


def cumulative_sum(x: Any, /, *, axis: int) -> Any:
    """The running sum along an axis.

    Example::

        ub.ops.cumulative_sum(ub.from_numpy([1, 2, 3]), axis=0)  # [1, 3, 6]
    """
    return namespace_of("cumulative_sum", x).cumulative_sum(x, axis_of("cumulative_sum", x, axis))


def tril(x: Any, /, *, k: int = 0) -> Any:
    """`(…, n, m)`, with 0 above the k-th diagonal of each matrix.

    Example::

        ub.ops.tril(ub.from_numpy([[1, 2], [3, 4]]))  # [[1, 0], [3, 4]]
    """
    return namespace_of("tril", x).tril(x, k)


def triu(x: Any, /, *, k: int = 0) -> Any:
    """`(…, n, m)`, with 0 below the k-th diagonal of each matrix.

    Example::

        ub.ops.triu(ub.from_numpy([[1, 2], [3, 4]]))  # [[1, 2], [0, 4]]
    """
    return namespace_of("triu", x).triu(x, k)


def one_hot(indices: Any, depth: int, /, *, dtype: str = "float32") -> Any:
    """1 at each index along a new last axis of size `depth`, 0 elsewhere.

    An index outside [0, depth) gives zeros.

    Raises:
        TypeError: for indices that are not integers.

    Example::

        ub.ops.one_hot(ub.from_numpy([0, 2]), 3)  # [[1, 0, 0], [0, 0, 1]]
    """
    indices = whole("one_hot", indices)
    return namespace_of("one_hot", indices).one_hot(indices, depth, dtype)
