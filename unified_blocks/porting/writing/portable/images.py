"""Images of another size, and what is put around them."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.convolutions import ConvolutionTranspose
from unified_blocks.porting.operations.pooling import AdaptiveAvgPool
from unified_blocks.porting.operations.resizing import Resize
from unified_blocks.porting.operations.slices import Pad, Slice
from unified_blocks.porting.writing.pieces import Part, Slot, call, text
from unified_blocks.porting.writing.portable.vocabulary import channels, padding, short, writes
from unified_blocks.porting.writing.words import Word, named, own_weights


@writes(ConvolutionTranspose)
def transposed(operation: ConvolutionTranspose, node: Node) -> Word:
    x, weight, *bias = node.inputs
    rank = x.rank - 2
    if not own_weights(node, 1, 2) or rank > 3:
        raise UnsupportedError("the weight of a convolution must be a parameter; it is computed")
    layer = call(
        f"ub.Conv{rank}DTranspose",
        channels(weight.shape[1] * operation.groups),
        Slot(short(weight.shape[2:]), "kernel_size"),
        strides=(short(operation.strides), 1),
        padding=(padding(operation.padding), 0),
        output_padding=(short(operation.more), 0),
        dilation=(short(operation.dilation), 1),
        groups=(operation.groups, 1),
        use_bias=(bool(bias), True),
    )
    return Word(layer, named(weight=weight, bias=bias[0] if bias else None))


@writes(Resize)
def resize(operation: Resize, node: Node) -> Word:
    (x,) = node.inputs
    sizes = list(zip(x.shape[2:], operation.size, strict=True))
    mode = "bilinear" if operation.mode == "linear" else "nearest"
    if len(sizes) != 2 or any(m % n for n, m in sizes):
        expression = call(
            "ub.ops.resize",
            x,
            Slot(operation.size, "size"),
            method=(mode, "nearest"),
            align_corners=(operation.align_corners and mode == "bilinear", False),
        )
        return Word(expression=expression)
    layer = call(
        "ub.UpSampling2D",
        Slot(short(tuple(m // n for n, m in sizes)), "size"),
        interpolation=(mode, "nearest"),
        align_corners=(operation.align_corners, False),
    )
    return Word(layer)


@writes(AdaptiveAvgPool)
def adaptive_pool(operation: AdaptiveAvgPool, node: Node) -> Word:
    if len(operation.size) != 2:
        raise UnsupportedError("adaptive pooling must be of images of two axes")
    return Word(call("ub.AdaptiveAvgPool2D", Slot(short(operation.size), "output_size")))


KINDS = {"constant": "ZeroPad", "reflect": "ReflectPad"}


@writes(Pad)
def pad(operation: Pad, node: Node) -> Word:
    before, space = operation.widths[:2], operation.widths[2:]
    kind = KINDS.get(operation.mode)
    inside = not any(map(sum, before)) and 1 <= len(space) <= 3
    if kind is None or not inside or operation.number != 0:
        expression = call(
            "ub.ops.pad",
            *node.inputs,
            Slot(operation.widths, "pad_width"),
            mode=(operation.mode, "constant"),
            value=(operation.number, 0.0),
        )
        return Word(expression=expression)
    return Word(call(f"ub.{kind}{len(space)}D", Slot(padding(space), "padding")))


@writes(Slice)
def slice_(operation: Slice, node: Node) -> Word:
    (x,) = node.inputs
    turned, parts = operation.forward(x.shape)
    if any(map(x.grows, turned)):
        raise UnsupportedError("the batch must not be turned")
    flipped = Slot(turned[0] if len(turned) == 1 else turned, "axis")
    source: Part = call("ub.ops.flip", x, axis=flipped) if turned else x
    shown = []
    for part in parts:
        start = "" if part.start in (None, 0) else str(part.start)
        stop = "" if part.stop is None else str(part.stop)
        shown.append(f"{start}:{stop}" + ("" if part.step == 1 else f":{part.step}"))
    while shown and shown[-1] == ":":
        shown.pop()
    return Word(expression=text(f"{{}}[{', '.join(shown)}]" if shown else "{}", source))
