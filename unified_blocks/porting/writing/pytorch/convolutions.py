"""Convolutions, and the affine maps of vectors."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.layers.geometry import is_even
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.convolutions import Convolution, ConvolutionTranspose, Linear
from unified_blocks.porting.writing.pieces import Slot, call, text
from unified_blocks.porting.writing.pytorch.vocabulary import channels, short, writes
from unified_blocks.porting.writing.words import Word, named, own_weights


@writes(Linear)
def linear(operation: Linear, node: Node) -> Word:
    weight, *bias = node.inputs[1:]
    if own_weights(node, 1, 2):
        units, features = weight.shape
        layer = call("nn.Linear", channels(features), channels(units), bias=(bool(bias), True))
        return Word(layer, named(weight=weight, bias=bias[0] if bias else None))
    return Word(expression=call("F.linear", *node.inputs))


@writes(Convolution)
def convolution(operation: Convolution, node: Node) -> Word:
    x, weight, *bias = node.inputs
    rank = x.rank - 2
    if rank > 3:
        raise UnsupportedError(f"it must be over at most three axes; got {rank}")
    if not is_even(operation.padding):
        return _padded(operation, node)
    options = {
        "stride": (short(operation.strides), 1),
        "padding": (short(tuple(before for before, _ in operation.padding)), 0),
        "dilation": (short(operation.dilation), 1),
        "groups": (operation.groups, 1),
    }
    if not own_weights(node, 1, 2):
        return Word(expression=call(f"F.conv{rank}d", *node.inputs, **options))
    layer = call(
        f"nn.Conv{rank}d",
        channels(x.shape[1]),
        channels(weight.shape[0]),
        Slot(short(weight.shape[2:]), "kernel_size"),
        **options,
        bias=(bool(bias), True),
    )
    return Word(layer, named(weight=weight, bias=bias[0] if bias else None))


def _padded(operation: Convolution, node: Node) -> Word:
    """One with more zeros on one side, which only a function takes."""
    x, *arrays = node.inputs
    pads = tuple(each for pair in reversed(operation.padding) for each in pair)
    options = {
        "stride": (short(operation.strides), 1),
        "dilation": (short(operation.dilation), 1),
        "groups": (operation.groups, 1),
    }
    padded = text("F.pad({}, {})", x, Slot(pads, "padding"))
    return Word(expression=call(f"F.conv{x.rank - 2}d", padded, *arrays, **options))


@writes(ConvolutionTranspose)
def transposed(operation: ConvolutionTranspose, node: Node) -> Word:
    x, weight, *bias = node.inputs
    rank = x.rank - 2
    if rank > 3 or not is_even(operation.padding):
        raise UnsupportedError(
            f"a transposed convolution must leave out as much at both ends; got {operation.padding}"
        )
    options = {
        "stride": (short(operation.strides), 1),
        "padding": (short(tuple(before for before, _ in operation.padding)), 0),
        "output_padding": (short(operation.more), 0),
        "groups": (operation.groups, 1),
    }
    dilation = {"dilation": (short(operation.dilation), 1)}
    if not own_weights(node, 1, 2):
        function = f"F.conv_transpose{rank}d"
        return Word(expression=call(function, *node.inputs, **options, **dilation))
    layer = call(
        f"nn.ConvTranspose{rank}d",
        channels(x.shape[1]),
        channels(weight.shape[1] * operation.groups),
        Slot(short(weight.shape[2:]), "kernel_size"),
        **options,
        bias=(bool(bias), True),
        **dilation,
    )
    return Word(layer, named(weight=weight, bias=bias[0] if bias else None))
