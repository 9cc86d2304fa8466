"""Attention of several heads."""

from __future__ import annotations

from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.attention import MergeHeads, SplitHeads
from unified_blocks.porting.writing.pieces import Slot, call
from unified_blocks.porting.writing.pytorch.vocabulary import writes
from unified_blocks.porting.writing.words import Word


@writes(SplitHeads)
def split_heads(operation: SplitHeads, node: Node) -> Word:
    helper = "split_heads" if operation.parts == 1 else "split_parts"
    parts = (Slot(operation.parts, "parts"), 1)
    heads = Slot(operation.heads, "heads")
    return Word(expression=call(helper, *node.inputs, heads, parts=parts), needs=(helper,))


@writes(MergeHeads)
def merge_heads(operation: MergeHeads, node: Node) -> Word:
    heads = Slot(operation.heads, "heads")
    return Word(expression=call("merge_heads", *node.inputs, heads), needs=("merge_heads",))
