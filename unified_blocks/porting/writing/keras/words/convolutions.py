"""Convolutions, and the affine maps of vectors."""

from __future__ import annotations

from typing import Any

from unified_blocks.layers.geometry import Pads
from unified_blocks.porting.graph import Parameter
from unified_blocks.porting.operations.convolutions import Convolution, Linear
from unified_blocks.porting.writing.keras.expressions import Call, Expression, Tensor
from unified_blocks.porting.writing.keras.words.padding import padded, same, short
from unified_blocks.porting.writing.keras.writer import Writing, array_of, last, writes
from unified_blocks.types import Array, Shape


@writes(Linear)
def linear(w: Writing) -> None:
    features = w.inputs[0].rank - 1
    x, order = w.x, w.order
    if order[-1] != features:
        order = (*(axis for axis in order if axis != features), features)
        x = w.turned(w.x, w.order, order)
    weight, *bias = w.inputs[1:]
    layer = w.layer(
        "layers.Dense",
        array_of(weight).shape[0],
        use_bias=bool(bias),
        weights=[("kernel", weight, array_of(weight).T), *named_bias(bias)],
    )
    w.give(Call(layer, (x,)), order)


def parameters(w: Writing) -> list[Parameter]:
    """The numbers of a layer; none of them may be what another node gives."""
    for each in w.inputs[1:]:
        array_of(each)
    return [each for each in w.inputs[1:] if isinstance(each, Parameter)]


def named_bias(bias: list[Any]) -> list[tuple[str, Any, Array]]:
    """A bias, where there is one, as a layer's weight."""
    return [("bias", each, array_of(each)) for each in bias]


@writes(Convolution, images=True)
def convolution(w: Writing) -> None:
    options: Convolution = w.operation
    weight, *bias = w.inputs[1:]
    array, rank = array_of(weight), w.inputs[0].rank - 2
    kernel, channels = array.shape[2:], w.inputs[0].shape[1]
    x, padding = windows(w, w.image(), kernel, options.strides, options.padding, options.dilation)
    common: dict[str, Any] = {
        "strides": short(options.strides),
        "padding": padding,
        "dilation_rate": short(options.dilation),
    }
    if 1 < channels == options.groups and rank < 3 and depthwise_fits(options):
        multiplier = array.shape[0] // channels
        turned = array.reshape(channels, multiplier, *kernel)
        turned = turned.transpose(*range(2, rank + 2), 0, 1)  # (*kernel, channels, multiplier)
        layer = w.layer(
            f"layers.DepthwiseConv{rank}D",
            short(kernel),
            **common,
            depth_multiplier=multiplier,
            use_bias=bool(bias),
            weights=[("kernel", weight, turned), *named_bias(bias)],
        )
    else:
        turned = array.transpose(*range(2, rank + 2), 1, 0)  # (*kernel, in, out)
        layer = w.layer(
            f"layers.Conv{rank}D",
            array.shape[0],
            short(kernel),
            **common,
            groups=options.groups,
            use_bias=bool(bias),
            weights=[("kernel", weight, turned), *named_bias(bias)],
        )
    w.give(Call(layer, (x,)), last(rank + 2))


def depthwise_fits(options: Convolution) -> bool:
    """Whether TensorFlow has a convolution of each channel with these strides and dilation."""
    return len(set(options.strides)) == 1 and (
        max(options.strides) == 1 or max(options.dilation) == 1
    )


def windows(
    w: Writing, x: Tensor, kernel: Shape, strides: Shape, pads: Pads, dilation: Shape
) -> tuple[Expression, str]:
    """The image that a layer of windows takes, and its `padding`."""
    if not any(map(sum, pads)):
        return x, "valid"
    if max(strides) == 1 and same(x.shape[1:-1], kernel, strides, pads, dilation):
        return x, "same"
    return padded(w, x, pads), "valid"
