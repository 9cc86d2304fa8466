"""Sequences of which each has its own length."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node, Value
from unified_blocks.porting.operations.sequences import (
    MaskedSoftmax,
    SequenceLast,
    SequenceMask,
    SequenceReverse,
)
from unified_blocks.porting.writing.pieces import Piece, Slot, call, text
from unified_blocks.porting.writing.portable.gathers import counted
from unified_blocks.porting.writing.portable.vocabulary import writes, zero
from unified_blocks.porting.writing.words import Word


def ends(x: Value, lengths: Value, axis: int) -> Piece:
    """The length of each sequence, so that it broadcasts with x, whose steps are along an axis."""
    sizes = [1] * x.rank
    sizes[1 - axis] = -1
    return text(f"ub.ops.reshape({{}}, {tuple(sizes)})", lengths)


@writes(SequenceMask)
def sequence_mask(operation: SequenceMask, node: Node) -> Word:
    x, *lengths = node.inputs
    if not lengths:
        return Word(expression=text("{}", x))
    (given,) = lengths
    steps = counted(x, operation.axis, given)
    inside = call("ub.ops.less", steps, ends(x, given, operation.axis))
    is_whole = x.dtype.startswith(("int", "uint"))
    value = Slot(int(operation.value) if is_whole else float(operation.value), "value")
    return Word(expression=call("ub.ops.where", inside, x, value))


@writes(SequenceLast)
def sequence_last(operation: SequenceLast, node: Node) -> Word:
    x, *lengths = node.inputs
    axis = operation.axis
    if not lengths:
        return Word(expression=text("{}[-1]" if axis == 0 else "{}[:, -1]", x))
    (given,) = lengths
    is_last = text("ub.ops.equal({}, {} - 1)", counted(x, axis, given), ends(x, given, axis))
    chosen = call("ub.ops.where", is_last, x, zero(x))
    return Word(expression=call("ub.ops.sum", chosen, axis=(axis, None)))


@writes(SequenceReverse)
def sequence_reverse(operation: SequenceReverse, node: Node) -> Word:
    x, *lengths = node.inputs
    if lengths:
        raise UnsupportedError("sequences that are turned must have one length; got lengths")
    return Word(expression=call("ub.ops.flip", x, axis=Slot(operation.axis, "axis")))


@writes(MaskedSoftmax)
def masked_softmax(operation: MaskedSoftmax, node: Node) -> Word:
    x, lengths = node.inputs
    if x.dtype == "float16":
        raise UnsupportedError("a softmax of so many numbers must be of float32 or float64")
    axis = operation.axis
    length = text(f"ub.ops.expand_dims({{}}, axis={axis})", lengths)
    inside = call("ub.ops.less", counted(x, axis, lengths), length)
    masked = call("ub.ops.where", inside, x, Slot(LOWEST, "lowest"))
    shares = call("ub.ops.softmax", masked, axis=(axis if axis < x.rank - 1 else -1, -1))
    some = text("ub.ops.greater({}, 0)", length)
    return Word(expression=call("ub.ops.where", some, shares, Slot(0.0, "value")))


LOWEST = -1e30
"""Of which the share is 0 beside any other number."""
