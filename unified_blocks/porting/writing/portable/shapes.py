"""Operations that move numbers and compute none."""

from __future__ import annotations

from collections.abc import Sequence

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node, Value
from unified_blocks.porting.operations.shapes import (
    BroadcastLike,
    BroadcastTo,
    Concat,
    ExpandDims,
    FillLike,
    Reshape,
    Squeeze,
    Transpose,
)
from unified_blocks.porting.writing.pieces import Piece, Slot, call, text
from unified_blocks.porting.writing.portable.vocabulary import writes
from unified_blocks.porting.writing.words import Word


@writes(Concat)
def concat(operation: Concat, node: Node) -> Word:
    inside = ", ".join(["{}"] * len(node.inputs))
    axis = Slot(operation.axis, "axis")
    return Word(expression=text(f"ub.ops.concat([{inside}], axis={{}})", *node.inputs, axis))


@writes(Transpose)
def transpose(operation: Transpose, node: Node) -> Word:
    inside = ", ".join(map(str, operation.axes))
    return Word(expression=text(f"ub.ops.permute_dims({{}}, ({inside}))", *node.inputs))


@writes(Reshape)
def reshape(operation: Reshape, node: Node) -> Word:
    (x,) = node.inputs
    y = node.output
    sizes = _sizes(x, y)
    inside = ", ".join(["{}"] * len(sizes)) + ("," if len(sizes) == 1 else "")
    expression = text(f"ub.ops.reshape({{}}, ({inside}))", x, *sizes)
    flat = y.rank == 2 and x.rank > 2 and x.shape[0] == y.shape[0] and x.grows(0) == y.grows(0)
    return Word(call("ub.Flatten") if flat else None, expression=expression)


def _sizes(x: Value, y: Value) -> list[Piece | Slot]:
    """The size of each axis, right for each batch."""
    kept = [
        axis
        for axis in range(min(x.rank, y.rank - (x.rank != y.rank)))
        if x.shape[: axis + 1] == y.shape[: axis + 1]
        and [x.grows(i) for i in range(axis + 1)] == [y.grows(i) for i in range(axis + 1)]
    ]
    unknown = [axis for axis in range(y.rank) if y.grows(axis) and axis not in kept]
    if len(unknown) > 1:
        raise UnsupportedError(f"a reshape to {y.shape} has {len(unknown)} sizes of the batch")
    rest = [axis for axis in range(y.rank) if axis not in kept]
    if not unknown and len(rest) == 1 and 0 not in y.shape:
        unknown = rest
    return [
        text("-1")
        if axis in unknown
        else text("ub.KEEP")
        if axis in kept and y.grows(axis)
        else Slot(y.shape[axis], "size")
        for axis in range(y.rank)
    ]


@writes(ExpandDims)
def expand_dims(operation: ExpandDims, node: Node) -> Word:
    axis = Slot(operation.axis, "axis")
    return Word(expression=text("ub.ops.expand_dims({}, axis={})", *node.inputs, axis))


@writes(Squeeze)
def squeeze(operation: Squeeze, node: Node) -> Word:
    axis = Slot(operation.axes[0] if len(operation.axes) == 1 else operation.axes, "axis")
    return Word(expression=text("ub.ops.squeeze({}, axis={})", *node.inputs, axis))


@writes(FillLike)
def fill_like(operation: FillLike, node: Node) -> Word:
    number = Slot(operation.number, "value")
    return Word(expression=call("ub.ops.full_like", *node.inputs, number))


@writes(BroadcastTo)
def broadcast_to(operation: BroadcastTo, node: Node) -> Word:
    (x,), y = node.inputs, node.output
    if not any(map(y.grows, range(y.rank))):
        inside = ", ".join(["{}"] * y.rank) + ("," if y.rank == 1 else "")
        sizes = [Slot(size, "size") for size in y.shape]
        return Word(expression=text(f"ub.ops.broadcast_to({{}}, ({inside}))", x, *sizes))
    times = []
    for axis, (n, m) in enumerate(zip(x.shape, y.shape, strict=True)):
        kept = n == m and x.grows(axis) == y.grows(axis)
        if y.grows(axis) and not kept:
            raise UnsupportedError("it makes an axis as long as a batch that it does not take")
        times.append(1 if kept else m)
    return Word(expression=tiled(x, times))


def tiled(x: Value, times: Sequence[int]) -> Piece:
    """The whole, so many times along each axis."""
    made = text("{}", x)
    for axis, count in enumerate(times):
        if count > 1:
            inside = Slot(count, "repeats"), Slot(axis, "axis")
            made = text("ub.ops.concat([{}] * {}, axis={})", made, *inside)
    return made


@writes(BroadcastLike)
def broadcast_like(operation: BroadcastLike, node: Node) -> Word:
    x, like = node.inputs
    if x.dtype != like.dtype or x.dtype == "bool":
        raise UnsupportedError(f"both must have numbers of one dtype; got {x.dtype}, {like.dtype}")
    return Word(expression=text("{} + ub.ops.zeros_like({})", x, like))
