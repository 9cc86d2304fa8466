"""Convolutions, and the affine maps of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.layers.geometry import Pads
from unified_blocks.porting.graph import Parameter, Value
from unified_blocks.porting.operations.convolutions import (
    Convolution,
    ConvolutionTranspose,
    Linear,
)
from unified_blocks.porting.operations.embedding import Embedding
from unified_blocks.porting.writing.keras.expressions import (
    Call,
    Expression,
    Index,
    Shared,
    Tensor,
    call,
)
from unified_blocks.porting.writing.keras.names import layer_key
from unified_blocks.porting.writing.keras.words.padding import padded, same, short
from unified_blocks.porting.writing.keras.writer import (
    Writing,
    array_of,
    last,
    operands,
    writes,
)
from unified_blocks.types import Array, Shape


@writes(Linear)
def linear(w: Writing) -> None:
    features = w.inputs[0].rank - 1
    x, order = w.x, w.order
    if order[-1] != features:
        order = (*(axis for axis in order if axis != features), features)
        x = w.turned(w.x, w.order, order)
    weight, *bias = w.inputs[1:]
    if not all(isinstance(each, Parameter) for each in w.inputs[1:]):
        turned = call("ops.transpose", w.plain_or_numbers(1))
        product = call("ops.matmul", x, turned)
        added = operands((product, w.plain_or_numbers(2)), "+") if bias else product
        return w.give(added, order)
    if embedding := embedding_of(w, weight):
        scores = Call(embedding, (x,), (("reverse", True),))
        added = operands((scores, w.plain_or_numbers(2)), "+") if bias else scores
        return w.give(added, order)
    layer = w.layer(
        "layers.Dense",
        array_of(weight).shape[0],
        use_bias=bool(bias),
        weights=[("kernel", weight, array_of(weight).T), *named_bias(bias)],
    )
    return w.give(Call(layer, (x,)), order)


def embedding_of(w: Writing, weight: Value) -> Shared | None:
    """The embedding whose weight this is, too."""
    for node in w.writer.users[weight]:
        if isinstance(node.operation, Embedding) and node.inputs[1] is weight:
            key = layer_key(node)
            return next((made for k, made in w.writer.made.items() if k[: len(key)] == key), None)
    return None


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
    strides = options.strides
    both = max(strides) > 1 and max(options.dilation) > 1  # which Keras has not
    strides = (1,) * rank if both else strides
    x, padding = windows(w, w.image(), kernel, strides, options.padding, options.dilation)
    common: dict[str, Any] = {
        "strides": short(strides),
        "padding": padding,
        "dilation_rate": short(options.dilation),
    }
    if 1 < channels == options.groups and rank < 3 and depthwise_fits(strides, options.dilation):
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
    y: Expression = Call(layer, (x,))
    if both:
        y = Index(y, ", ".join([":", *(f"::{step}" for step in options.strides)]))
    w.give(y, last(rank + 2))


def depthwise_fits(strides: Shape, dilation: Shape) -> bool:
    """Whether TensorFlow has a convolution of each channel with these strides and dilation."""
    return len(set(strides)) == 1 and (max(strides) == 1 or max(dilation) == 1)


def windows(
    w: Writing, x: Tensor, kernel: Shape, strides: Shape, pads: Pads, dilation: Shape
) -> tuple[Expression, str]:
    """The image that a layer of windows takes, and its `padding`."""
    if not any(map(sum, pads)):
        return x, "valid"
    if max(strides) == 1 and same(x.shape[1:-1], kernel, strides, pads, dilation):
        return x, "same"
    return padded(w, x, pads), "valid"


@writes(ConvolutionTranspose, images=True)
def transposed(w: Writing) -> None:
    options: ConvolutionTranspose = w.operation
    weight, *bias = w.inputs[1:]
    array, rank, out = array_of(weight), w.inputs[0].rank - 2, w.node.output.shape[2:]
    reach = [(k - 1) * d + 1 for k, d in zip(array.shape[2:], options.dilation, strict=True)]
    x, axes = w.image(), zip(w.inputs[0].shape[2:], reach, options.strides, strict=True)
    whole = [n * s + max(k - s, 0) for n, k, s in axes]
    cut = tuple(
        (before, n - before - m)
        for n, m, (before, _) in zip(whole, out, options.padding, strict=True)
    )
    if options.groups > 1 or max(options.dilation) > 1 or any(after < 0 for _, after in cut):
        return _spread(w, x)
    turned = array.transpose(*range(2, rank + 2), 1, 0)  # (*kernel, out, in)
    layer = w.layer(
        f"layers.Conv{rank}DTranspose",
        array.shape[1],
        short(array.shape[2:]),
        strides=short(options.strides),
        dilation_rate=short(options.dilation),
        use_bias=bool(bias),
        weights=[("kernel", weight, turned), *named_bias(bias)],
    )
    if not any(map(sum, cut)):
        return w.give(Call(layer, (x,)), last(rank + 2))
    even = all(before == after for before, after in cut)
    crops: Any = short([before for before, _ in cut]) if even else cut if rank > 1 else cut[0]
    cropping = call(f"layers.Cropping{rank}D", crops)
    return w.give(Call(cropping, (Call(layer, (x,)),)), last(rank + 2))


def _spread(w: Writing, x: Tensor) -> None:
    """A transposed convolution as one of the image with zeros between its pixels."""
    options: ConvolutionTranspose = w.operation
    weight, *bias = w.inputs[1:]
    array, rank, groups = array_of(weight), w.inputs[0].rank - 2, options.groups
    c, each, *kernel = array.shape
    steps, taken = options.strides, w.inputs[0]
    wide = [(n - 1) * s + 1 for n, s in zip(taken.shape[2:], steps, strict=True)]
    if max(steps) > 1:
        w.writer.words.add("spread")
        shape = (x.shape[0], *wide, c)
        x = w.add(call("spread", x, tuple(steps)), shape, x.growth)
    reach = [(k - 1) * d for k, d in zip(kernel, options.dilation, strict=True)]
    ends = zip(reach, options.padding, options.more, strict=True)
    pads = tuple((k - before, k - after + more) for k, (before, after), more in ends)
    if min(min(pad) for pad in pads) < 0:
        raise w.refused(f"it leaves out more than a window: {options.padding} of {reach}")
    apart = array.reshape(groups, c // groups, each, *kernel)
    apart = np.flip(apart, tuple(range(3, rank + 3)))
    moved = apart.transpose(*range(3, rank + 3), 1, 0, 2)  # (*kernel, in / g, g, out / g)
    layer = w.layer(
        f"layers.Conv{rank}D",
        each * groups,
        short(kernel),
        dilation_rate=short(options.dilation),
        groups=groups,
        use_bias=bool(bias),
        weights=[("kernel", weight, moved.reshape(*kernel, c // groups, -1)), *named_bias(bias)],
    )
    w.give(Call(layer, (padded(w, x, pads),)), last(rank + 2))
