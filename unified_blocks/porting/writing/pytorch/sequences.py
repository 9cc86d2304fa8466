"""Sequences of which each has its own length."""

from __future__ import annotations

from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.sequences import (
    MaskedSoftmax,
    SequenceLast,
    SequenceMask,
    SequenceReverse,
)
from unified_blocks.porting.writing.pieces import Slot, text
from unified_blocks.porting.writing.pytorch.vocabulary import call, writes
from unified_blocks.porting.writing.words import Word


@writes(SequenceMask)
def sequence_mask(operation: SequenceMask, node: Node) -> Word:
    value, axis = Slot(operation.value, "value"), Slot(operation.axis, "axis")
    masked = call("mask_sequences", *node.inputs, value=(value, 0.0), dim=(axis, 0))
    return Word(expression=masked, needs=("mask_sequences",))


@writes(SequenceLast)
def sequence_last(operation: SequenceLast, node: Node) -> Word:
    x, *lengths = node.inputs
    if not lengths:
        return Word(expression=text("{}[-1]" if operation.axis == 0 else "{}[:, -1]", x))
    turned = x if operation.axis == 0 else text("{}.transpose(0, 1)", x)
    return Word(expression=call("last_steps", turned, *lengths), needs=("last_steps",))


@writes(SequenceReverse)
def sequence_reverse(operation: SequenceReverse, node: Node) -> Word:
    x, *lengths = node.inputs
    if not lengths:
        return Word(expression=text("{}.flip({})", x, Slot(operation.axis, "axis")))
    if operation.axis == 0:
        reverse = call("reverse_sequences", x, *lengths)
    else:
        turned = text("{}.transpose(0, 1)", x)
        reverse = text("{}.transpose(0, 1)", call("reverse_sequences", turned, *lengths))
    return Word(expression=reverse, needs=("reverse_sequences",))


@writes(MaskedSoftmax)
def masked_softmax(operation: MaskedSoftmax, node: Node) -> Word:
    last = operation.axis == node.inputs[0].rank - 1
    axis = Slot(-1 if last else operation.axis, "axis")
    masked = call("masked_softmax", *node.inputs, dim=(axis, -1))
    return Word(expression=masked, needs=("masked_softmax",))
