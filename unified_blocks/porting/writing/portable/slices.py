"""Values put together of several, and parts of them."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.slices import Flip, Split, Stack
from unified_blocks.porting.writing.pieces import Slot, call, text
from unified_blocks.porting.writing.portable.vocabulary import writes
from unified_blocks.porting.writing.words import Word


@writes(Split)
def split(operation: Split, node: Node) -> Word:
    if len(set(operation.sizes)) > 1:
        raise UnsupportedError(f"the parts of a split must be equal; got {operation.sizes}")
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
