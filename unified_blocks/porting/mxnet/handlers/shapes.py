"""Other shapes of the same numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from unified_blocks.porting.graph import Value
from unified_blocks.porting.mxnet.reading import Reading, register
from unified_blocks.porting.operations.operation import axes_of, axis_of
from unified_blocks.porting.operations.shapes import (
    BroadcastLike,
    BroadcastTo,
    ExpandDims,
    Reshape,
    Squeeze,
    Transpose,
)
from unified_blocks.types import Shape


@register("Reshape", "reshape")
def reshape(read: Reading) -> Value:
    (x,) = read.inputs
    codes, reverse = read.sizes("shape"), read.flag("reverse", False)
    before, highest = read.sizes("target_shape"), read.flag("keep_highest", False)
    if codes:
        shape = reshaped(x.shape, codes, reverse)
    elif before:  # files before 0.9: a 0 is what the others leave
        first = x.shape[:1] if highest else before[:1]
        shape = reshaped(x.shape, [n or -1 for n in (*first, *before[1:])])
    else:
        raise read.refused("it has no shape")
    return read.add(Reshape(shape), x)


def reshaped(shape: Shape, codes: Sequence[int], reverse: bool = False) -> Shape:
    """The shape that MXNet's codes say.

    0 is the size of that axis, -1 what the others leave, -2 all axes that are left, -3 two axes as
    one, and -4 one axis as the two that follow. With `reverse` they are read from the end.
    """
    sizes, todo = list(shape), list(codes)
    if reverse:
        sizes.reverse()
        todo.reverse()
    made: list[int] = []
    todo.reverse()
    while todo:
        code = todo.pop()
        if code == -2:
            made += sizes
            sizes = []
        elif code == -3:
            made.append(sizes.pop(0) * sizes.pop(0))
        elif code == -4:
            size, first, second = sizes.pop(0), todo.pop(), todo.pop()
            made += [size // second if first == -1 else first]
            made += [size // first if second == -1 else second]
        else:
            size = sizes.pop(0) if sizes else 0
            made.append(size if code == 0 else code)
    if -1 in made:
        rest = -math.prod(made)
        made[made.index(-1)] = math.prod(shape) // rest
    return tuple(made[::-1] if reverse else made)


@register("reshape_like")
def reshape_like(read: Reading) -> Value:
    """The shape of another, or of some of its axes in the place of some."""
    x, like = read.inputs
    (first, last), (start, stop) = (
        (read.integer(f"{side}_begin", None), read.integer(f"{side}_end", None))
        for side in ("lhs", "rhs")
    )
    mine = slice(first, last).indices(x.rank)
    shape = (*x.shape[: mine[0]], *like.shape[start:stop], *x.shape[mine[1] :])
    return x if shape == x.shape else read.add(Reshape(shape), x)


@register("transpose")
def transpose(read: Reading) -> Value:
    (x,) = read.inputs
    axes = read.sizes("axes") or tuple(range(x.rank))[::-1]
    return turned(read, x, tuple(axis_of(axis, x.rank) for axis in axes))


def turned(read: Reading, x: Value, axes: Shape, suffix: str = "") -> Value:
    """The axes in another order; where they were in another before, in one step or in none."""
    before = read.maker(x)
    if before is not None and isinstance(before.operation, Transpose):
        (x,) = before.inputs
        axes = tuple(before.operation.axes[axis] for axis in axes)
    return x if axes == tuple(range(x.rank)) else read.add(Transpose(axes), x, suffix=suffix)


@register("SwapAxis", "swapaxes")
def swap_axis(read: Reading) -> Value:
    (x,) = read.inputs
    axes = list(range(x.rank))
    first, second = (axis_of(read.integer(each, 0), x.rank) for each in ("dim1", "dim2"))
    axes[first], axes[second] = second, first
    return turned(read, x, tuple(axes))


@register("expand_dims")
def expand_dims(read: Reading) -> Value:
    (x,) = read.inputs
    return read.add(ExpandDims(axis_of(read.integer("axis"), x.rank + 1)), x)


@register("squeeze")
def squeeze(read: Reading) -> Value:
    (x,) = read.inputs
    axes = read.sizes("axis") or tuple(i for i, n in enumerate(x.shape) if n == 1)
    gone = axes_of(axes, x.rank)
    if len(gone) == x.rank:  # one number has an axis there
        gone = gone[1:]
    return read.add(Squeeze(gone), x) if gone else x


@register("broadcast_to")
def broadcast_to(read: Reading) -> Value:
    (x,) = read.inputs
    sizes = zip(x.shape, read.sizes("shape", x.rank), strict=True)
    return read.add(BroadcastTo(tuple(m or n for n, m in sizes)), x)


@register("broadcast_axis", "broadcast_axes")
def broadcast_axis(read: Reading) -> Value:
    (x,) = read.inputs
    shape = list(x.shape)
    for axis, n in zip(read.sizes("axis"), read.sizes("size"), strict=True):
        shape[axis] = n
    return read.add(BroadcastTo(tuple(shape)), x)


@register("broadcast_like")
def broadcast_like(read: Reading) -> Value:
    x, like = read.inputs
    mine, others = read.sizes("lhs_axes"), read.sizes("rhs_axes")
    if not mine and not others:
        return read.add(BroadcastLike(), x, like)
    shape = list(x.shape)
    for axis, other in zip(mine, others, strict=True):
        shape[axis] = like.shape[other]
    return read.add(BroadcastTo(tuple(shape)), x)


@register("depth_to_space", "space_to_depth")
def depth_and_space(read: Reading) -> Value:
    (x,) = read.inputs
    b = read.integer("block_size")
    n, c, h, w = x.shape
    if read.operator == "depth_to_space":
        apart, axes = (n, b, b, c // b**2, h, w), (0, 3, 4, 1, 5, 2)
        shape = (n, c // b**2, h * b, w * b)
    else:
        apart, axes = (n, c, h // b, b, w // b, b), (0, 3, 5, 1, 2, 4)
        shape = (n, c * b**2, h // b, w // b)
    x = read.add(Reshape(apart), x, suffix="apart")
    return read.add(Reshape(shape), read.add(Transpose(axes), x, suffix="transpose"))
