"""Attention of several heads."""

from __future__ import annotations

from unified_blocks.porting.operations.attention import MergeHeads, SplitHeads
from unified_blocks.porting.writing.keras.expressions import Step, Tensor, call
from unified_blocks.porting.writing.keras.words.orders import moved
from unified_blocks.porting.writing.keras.writer import Writing, plain, writes

BATCH_FIRST = (1, 0, 2)
"""How sequences `(t, n, d)` lie where the batch is first."""


@writes(SplitHeads)
def split_heads(w: Writing) -> None:
    operation: SplitHeads = w.operation
    helper = "split_heads" if operation.parts == 1 else "split_parts"
    w.writer.words.add(helper)
    given = [operation.heads] if operation.parts == 1 else [operation.heads, operation.parts]
    made = call(helper, w.taken(0, BATCH_FIRST), *given)
    tensors = tuple(Tensor(*moved(value, plain(3))) for value in w.node.outputs)
    w.writer.steps[w.node].append(Step(tensors, made, w.node.path))
    for value, tensor in zip(w.node.outputs, tensors, strict=True):
        w.writer.lying[value] = (tensor, plain(3))


@writes(MergeHeads)
def merge_heads(w: Writing) -> None:
    w.writer.words.add("merge_heads")
    w.give(call("merge_heads", w.plain(), w.operation.heads), BATCH_FIRST)
