"""Sequences of which each has its own length."""

from __future__ import annotations

from unified_blocks.porting.operations.sequences import (
    MaskedSoftmax,
    SequenceLast,
    SequenceMask,
    SequenceReverse,
)
from unified_blocks.porting.writing.keras.expressions import Expression, Tensor, call
from unified_blocks.porting.writing.keras.writer import Writing, plain, writes
from unified_blocks.types import Shape


def batch_first(w: Writing) -> tuple[Tensor, Shape]:
    """Sequences as `(n, t, …)`."""
    order = (1 - w.operation.axis, w.operation.axis, *range(2, w.inputs[0].rank))
    return w.taken(0, order), order


@writes(SequenceMask)
def sequence_mask(w: Writing) -> None:
    x, order = batch_first(w)
    w.writer.words.add("mask_sequences")
    value: list[Expression] = [w.operation.value] if w.operation.value else []
    w.give(call("mask_sequences", x, w.plain(1), *value), order)


@writes(SequenceLast)
def sequence_last(w: Writing) -> None:
    x, _ = batch_first(w)
    w.writer.words.add("last_steps")
    lengths = [w.plain(1)] if len(w.inputs) > 1 else []
    w.give(call("last_steps", x, *lengths), plain(w.node.output.rank))


@writes(SequenceReverse)
def sequence_reverse(w: Writing) -> None:
    x, order = batch_first(w)
    if len(w.inputs) == 1:
        return w.give(call("ops.flip", x, 1), order)
    w.writer.words.add("reverse_sequences")
    return w.give(call("reverse_sequences", x, w.plain(1)), order)


@writes(MaskedSoftmax)
def masked_softmax(w: Writing) -> None:
    rank, axis = w.inputs[0].rank, w.operation.axis
    order = (*(each for each in range(rank) if each != axis), axis)
    w.writer.words.add("masked_softmax")
    w.give(call("masked_softmax", w.taken(0, order), w.plain(1)), order)
