"""Convolutions whose windows see points that are computed, between pixels."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.deformable import DeformableConvolution
from unified_blocks.porting.writing.pieces import Slot, call
from unified_blocks.porting.writing.pytorch.vocabulary import channels, writes
from unified_blocks.porting.writing.words import Word, named, own_weights


@writes(DeformableConvolution)
def deformable(operation: DeformableConvolution, node: Node) -> Word:
    x, _, _, weight, *bias = node.inputs
    if not own_weights(node, 3, 4):
        raise UnsupportedError("the weight of a convolution must be a parameter; it is computed")
    layer = call(
        "DeformableConv2d",
        channels(x.shape[1]),
        channels(weight.shape[0]),
        Slot(weight.shape[2:], "kernel_size"),
        stride=(operation.strides, (1, 1)),
        padding=(tuple(before for before, _ in operation.padding), (0, 0)),
        dilation=(operation.dilation, (1, 1)),
        groups=(operation.groups, 1),
        parts=(operation.parts, 1),
        bias=(bool(bias), True),
    )
    weights = named(weight=weight, bias=bias[0] if bias else None)
    return Word(layer, weights, needs=("DeformableConv2d",))
