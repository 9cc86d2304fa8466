"""Convolutions, and the affine maps of vectors."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.convolutions import Convolution, Linear
from unified_blocks.porting.writing.pieces import Slot, call, text
from unified_blocks.porting.writing.portable.vocabulary import channels, padding, short, writes
from unified_blocks.porting.writing.words import Word, named, own_weights


@writes(Linear)
def linear(operation: Linear, node: Node) -> Word:
    x, weight, *bias = node.inputs
    if own_weights(node, 1, 2):
        layer = call("ub.Dense", channels(weight.shape[0]), use_bias=(bool(bias), True))
        return Word(layer, named(weight=weight, bias=bias[0] if bias else None))
    added = " + {}" if bias else ""
    product = "ub.ops.matmul({}, ub.ops.matrix_transpose({}))"
    return Word(expression=text(product + added, x, weight, *bias))


@writes(Convolution)
def convolution(operation: Convolution, node: Node) -> Word:
    x, weight, *bias = node.inputs
    rank = x.rank - 2
    if not own_weights(node, 1, 2) or rank > 3:
        raise UnsupportedError("the weight of a convolution must be a parameter; it is computed")
    layer = call(
        f"ub.Conv{rank}D",
        channels(weight.shape[0]),
        Slot(short(weight.shape[2:]), "kernel_size"),
        strides=(short(operation.strides), 1),
        padding=(padding(operation.padding), 0),
        dilation=(short(operation.dilation), 1),
        groups=(operation.groups, 1),
        use_bias=(bool(bias), True),
    )
    return Word(layer, named(weight=weight, bias=bias[0] if bias else None))
