"""Values put together of several, and parts of them."""

from __future__ import annotations

from itertools import accumulate

from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.slices import Flip, Repeat, Split, Stack, Tile, Unstack
from unified_blocks.porting.writing.pieces import Slot, call, text
from unified_blocks.porting.writing.portable.shapes import tiled
from unified_blocks.porting.writing.portable.vocabulary import shaped, writes
from unified_blocks.porting.writing.words import Word


@writes(Split)
def split(operation: Split, node: Node) -> Word:
    if len(set(operation.sizes)) > 1:
        (x,), before = node.inputs, ":, " * operation.axis
        ends = list(accumulate(operation.sizes))
        parts = zip([0, *ends[:-1]], ends, strict=True)
        inside = ", ".join(f"{{}}[{before}{start}:{end}]" for start, end in parts)
        return Word(expression=text(f"({inside})", *[x] * len(ends)))
    count = Slot(len(operation.sizes), "sections")
    return Word(expression=call("ub.ops.split", *node.inputs, count, axis=(operation.axis, 0)))


@writes(Stack)
def stack(operation: Stack, node: Node) -> Word:
    inside = ", ".join(["{}"] * len(node.inputs))
    axis = Slot(operation.axis, "axis")
    return Word(expression=text(f"ub.ops.stack([{inside}], axis={{}})", *node.inputs, axis))


@writes(Flip)
def flip(operation: Flip, node: Node) -> Word:
    axis = Slot(operation.axes[0] if len(operation.axes) == 1 else operation.axes, "axis")
    return Word(expression=text("ub.ops.flip({}, axis={})", *node.inputs, axis))


@writes(Unstack)
def unstack(operation: Unstack, node: Node) -> Word:
    (x,), count, axis = node.inputs, len(node.outputs), operation.axis
    squeezed = f"ub.ops.squeeze({{}}, axis={axis})"
    if count == 1:
        return Word(expression=text(squeezed, x))
    parts = call("ub.ops.split", x, Slot(count, "sections"), axis=(axis, 0))
    return Word(expression=text(f"({squeezed.format('part')} for part in {{}})", parts))


@writes(Tile)
def tile(operation: Tile, node: Node) -> Word:
    (x,) = node.inputs
    return Word(expression=tiled(x, operation.repeats))


@writes(Repeat)
def repeat(operation: Repeat, node: Node) -> Word:
    (x,), axis = node.inputs, operation.axis
    inside = x, Slot(operation.repeats, "repeats"), Slot(axis + 1, "axis")
    stacked = text("ub.ops.stack([{}] * {}, axis={})", *inside)
    return Word(expression=shaped(stacked, node.output, axis))
