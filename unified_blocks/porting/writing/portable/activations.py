"""Activations that have options, and softmax."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.activations import Elu, LeakyRelu, PRelu, Softmax
from unified_blocks.porting.writing.pieces import CHANNELS, Slot, call, text
from unified_blocks.porting.writing.portable.vocabulary import writes
from unified_blocks.porting.writing.words import Word, named, own_weights


@writes(LeakyRelu)
def leaky_relu(operation: LeakyRelu, node: Node) -> Word:
    (x,) = node.inputs
    if operation.slope == 0.01:
        return Word(text("ub.LeakyReLU()"), expression=text("ub.ops.leaky_relu({})", x))
    slope = Slot(operation.slope, "slope")
    return Word(expression=text("ub.ops.where(ub.ops.greater({}, 0), {}, {} * {})", x, x, x, slope))


@writes(Elu)
def elu(operation: Elu, node: Node) -> Word:
    if operation.alpha != 1:
        (x,) = node.inputs
        below = text("{} * ub.ops.expm1(ub.ops.minimum({}, 0))", Slot(operation.alpha, "alpha"), x)
        return Word(expression=text("ub.ops.where(ub.ops.greater({}, 0), {}, {})", x, x, below))
    return Word(text("ub.ELU()"), expression=text("ub.ops.elu({})", *node.inputs))


@writes(PRelu)
def prelu(operation: PRelu, node: Node) -> Word:
    slope = node.inputs[1]
    if not own_weights(node, 1):
        raise UnsupportedError("the slopes of a PReLU must be a parameter; they are computed")
    count = [Slot(slope.shape[0], CHANNELS)] if slope.shape[0] > 1 else []
    return Word(call("ub.PReLU", *count), named(weight=slope))


@writes(Softmax)
def softmax(operation: Softmax, node: Node) -> Word:
    (x,) = node.inputs
    axis = operation.axis if operation.axis != x.rank - 1 else -1
    layer, name = ("LogSoftmax", "log_softmax") if operation.log else ("Softmax", "softmax")
    return Word(
        call(f"ub.{layer}", axis=(axis, -1)), expression=call(f"ub.ops.{name}", x, axis=(axis, -1))
    )
