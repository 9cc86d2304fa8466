"""Attention of several heads."""

from __future__ import annotations

from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.attention import MergeHeads, SplitHeads
from unified_blocks.porting.writing.pieces import Slot, text
from unified_blocks.porting.writing.portable.vocabulary import writes
from unified_blocks.porting.writing.words import Word


@writes(SplitHeads)
def split_heads(operation: SplitHeads, node: Node) -> Word:
    (x,), (y, *_) = node.inputs, node.outputs
    t, d = y.shape[1:]
    heads, parts = Slot(operation.heads, "heads"), operation.parts
    if parts == 1:
        apart = text(f"ub.ops.reshape({{}}, ({t}, -1, {{}}, {d}))", x, heads)
        turned = text("ub.ops.permute_dims({}, (1, 2, 0, 3))", apart)
        return Word(expression=text(f"ub.ops.reshape({{}}, (-1, {t}, {d}))", turned))
    apart = text(f"ub.ops.reshape({{}}, ({t}, -1, {{}}, {parts}, {d}))", x, heads)
    turned = text("ub.ops.permute_dims({}, (3, 1, 2, 0, 4))", apart)
    joined = text(f"ub.ops.reshape({{}}, ({parts}, -1, {t}, {d}))", turned)
    return Word(expression=text(f"({{}}[i] for i in range({parts}))", joined))


@writes(MergeHeads)
def merge_heads(operation: MergeHeads, node: Node) -> Word:
    (x,), y = node.inputs, node.output
    t, d = x.shape[1:]
    apart = text(f"ub.ops.reshape({{}}, (-1, {{}}, {t}, {d}))", x, Slot(operation.heads, "heads"))
    turned = text("ub.ops.permute_dims({}, (2, 0, 1, 3))", apart)
    return Word(expression=text(f"ub.ops.reshape({{}}, ({t}, -1, {y.shape[2]}))", turned))
