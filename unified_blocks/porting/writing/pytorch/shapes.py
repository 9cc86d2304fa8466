"""Operations that move numbers and compute none."""

from __future__ import annotations

import math

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
from unified_blocks.porting.writing.pytorch.vocabulary import from_end, writes
from unified_blocks.porting.writing.words import Word


@writes(Concat)
def concat(operation: Concat, node: Node) -> Word:
    inside = ", ".join(["{}"] * len(node.inputs))
    axis = Slot(operation.axis, "axis")
    return Word(expression=text(f"torch.cat([{inside}], {{}})", *node.inputs, axis))


@writes(Transpose)
def transpose(operation: Transpose, node: Node) -> Word:
    (x,) = node.inputs
    moved = [axis for axis, source in enumerate(operation.axes) if axis != source]
    if len(moved) == 2:
        inside = ", ".join(map(str, moved))
        return Word(expression=text(f"{{}}.transpose({inside})", x))
    inside = ", ".join(map(str, operation.axes))
    return Word(expression=text(f"{{}}.permute({inside})", x))


@writes(Reshape)
def reshape(operation: Reshape, node: Node) -> Word:
    (x,) = node.inputs
    y = node.output
    if x.shape == y.shape:
        return Word(text("nn.Identity()"), expression=text("{}", x))
    if (joined := _joined(x, y)) is not None:
        start, end = joined
        layer = call("nn.Flatten", start_dim=(start, 1), end_dim=(end, -1))
        inside = f"{start}" if end == -1 else f"{start}, {end}"
        return Word(layer, expression=text(f"{{}}.flatten({inside})", x))
    sizes = [_size(x, y, axis) for axis in range(y.rank)]
    inside = ", ".join(["{}"] * len(sizes))
    return Word(expression=text(f"{{}}.reshape({inside})", x, *sizes))


def _joined(x: Value, y: Value) -> tuple[int, int] | None:
    """The first and last of the axes that become one, where no other changes."""
    gone = x.rank - y.rank
    if gone < 1:
        return None
    for start in range(y.rank):
        end = start + gone
        if (
            x.shape[:start] == y.shape[:start]
            and x.shape[end + 1 :] == y.shape[start + 1 :]
            and math.prod(x.shape[start : end + 1]) == y.shape[start]
            and not any(x.grows(axis) != y.grows(axis) for axis in range(start))
        ):
            return start, -1 if end == x.rank - 1 else end
    return None


def _size(x: Value, y: Value, axis: int) -> Slot | Piece:
    """The size of an axis, right for each batch."""
    if not y.grows(axis):
        return Slot(y.shape[axis], "size")
    if sum(1 for each in range(y.rank) if y.grows(each)) == 1:
        if axis == 0 and x.growth[:1] == y.growth[:1] and x.shape[0] == y.shape[0]:
            return text("len({})", x)
        return text("-1")
    for source in range(x.rank):
        if x.growth[source] == y.growth[axis] and x.shape[source] == y.shape[axis]:
            return text(f"{{}}.shape[{source}]", x)
    return text("-1")


@writes(ExpandDims)
def expand_dims(operation: ExpandDims, node: Node) -> Word:
    axis = Slot(from_end(operation.axis, node.output), "dim")
    return Word(expression=text("{}.unsqueeze({})", *node.inputs, axis))


@writes(Squeeze)
def squeeze(operation: Squeeze, node: Node) -> Word:
    (x,) = node.inputs
    axes = operation.axes
    axis = from_end(axes[0], x) if len(axes) == 1 else axes
    return Word(expression=text("{}.squeeze({})", x, Slot(axis, "dim")))


@writes(BroadcastTo)
def broadcast_to(operation: BroadcastTo, node: Node) -> Word:
    (x,) = node.inputs
    y = node.output
    kept = [
        n == m and x.grows(i) == y.grows(i)
        for i, (n, m) in enumerate(zip(x.shape, y.shape, strict=True))
    ]
    if any(y.grows(axis) and not kept[axis] for axis in range(y.rank)):
        raise UnsupportedError("it makes an axis as long as a batch that it does not take")
    sizes = [Slot(-1 if same else m, "size") for same, m in zip(kept, y.shape, strict=True)]
    inside = ", ".join(["{}"] * len(sizes))
    return Word(expression=text(f"{{}}.expand({inside})", x, *sizes))


@writes(BroadcastLike)
def broadcast_like(operation: BroadcastLike, node: Node) -> Word:
    return Word(expression=text("{}.expand_as({})", *node.inputs))


@writes(FillLike)
def fill_like(operation: FillLike, node: Node) -> Word:
    named = {0.0: "torch.zeros_like", 1.0: "torch.ones_like"}.get(operation.number)
    if named:
        return Word(expression=call(named, *node.inputs))
    return Word(expression=call("torch.full_like", *node.inputs, Slot(operation.number, "value")))
