"""Activations that have options, and softmax."""

from __future__ import annotations

from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.activations import Elu, LeakyRelu, PRelu, Softmax
from unified_blocks.porting.writing.pieces import CHANNELS, Slot, call, text
from unified_blocks.porting.writing.pytorch.vocabulary import from_end, writes
from unified_blocks.porting.writing.words import Word, named, own_weights


@writes(LeakyRelu)
def leaky_relu(operation: LeakyRelu, node: Node) -> Word:
    slope = Slot(operation.slope, "slope")
    return Word(call("nn.LeakyReLU", slope), expression=call("F.leaky_relu", *node.inputs, slope))


@writes(Elu)
def elu(operation: Elu, node: Node) -> Word:
    layer = call("nn.ELU", alpha=(operation.alpha, 1.0))
    return Word(layer, expression=call("F.elu", *node.inputs, alpha=(operation.alpha, 1.0)))


@writes(PRelu)
def prelu(operation: PRelu, node: Node) -> Word:
    slope = node.inputs[1]
    if not own_weights(node, 1):
        return Word(expression=call("F.prelu", *node.inputs))
    count = [Slot(slope.shape[0], CHANNELS)] if slope.shape[0] > 1 else []
    return Word(call("nn.PReLU", *count), named(weight=slope))


@writes(Softmax)
def softmax(operation: Softmax, node: Node) -> Word:
    (x,) = node.inputs
    axis = Slot(from_end(operation.axis, x), "dim")
    layer, method = ("nn.LogSoftmax", "log_softmax") if operation.log else ("nn.Softmax", "softmax")
    return Word(call(layer, dim=axis), expression=text(f"{{}}.{method}({{}})", x, axis))
