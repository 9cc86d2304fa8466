"""Images: sizes, transposed convolutions, and norms of their channels."""

from __future__ import annotations

import numpy as np

from unified_blocks.porting.graph import Value
from unified_blocks.porting.mxnet.reading import Reading, register
from unified_blocks.porting.operations.convolutions import ConvolutionTranspose
from unified_blocks.porting.operations.deformable import DeformableConvolution
from unified_blocks.porting.operations.elementwise import Elementwise
from unified_blocks.porting.operations.norms import GroupNorm, InstanceNorm, ResponseNorm
from unified_blocks.porting.operations.pooling import AdaptiveAvgPool, GlobalPool
from unified_blocks.porting.operations.resizing import Resize
from unified_blocks.porting.operations.shapes import Concat

FIRST = (None, "None", "NCW", "NCHW", "NCDHW")
"""Layouts that have the channels in the second place."""


@register("Deconvolution")
def deconvolution(read: Reading) -> Value:
    kernel = read.sizes("kernel")
    rank = len(kernel)
    strides, dilation = read.sizes("stride", rank, 1), read.sizes("dilate", rank, 1)
    pads, more = read.sizes("pad", rank, 0), read.sizes("adj", rank, 0)
    if (layout := read.text("layout", None)) not in FIRST:
        raise read.refused(f"channels must be in the second place; got layout={layout}")
    if any(target := read.sizes("target_shape", rank, 0)):
        axes = zip(read.inputs[0].shape[2:], kernel, strides, dilation, target, strict=True)
        left = [(n - 1) * s + (k - 1) * d + 1 - size for n, k, s, d, size in axes]
        if min(left) < 0:
            raise read.refused(f"target_shape={target} is more than it gives")
        pads, more = tuple((n + 1) // 2 for n in left), tuple(n % 2 for n in left)
    groups = read.integer("num_group", 1)
    read.ignore("num_filter", "no_bias")
    padding = tuple((pad, pad) for pad in pads)
    return read.add(ConvolutionTranspose(strides, padding, more, dilation, groups), *read.inputs)


@register("UpSampling")
def up_sampling(read: Reading) -> Value:
    kind, scale = read.text("sample_type"), read.integer("scale")
    several = read.text("multi_input_mode", "concat")
    read.ignore("num_args", "num_filter")
    if kind == "bilinear":
        x, weight = read.inputs
        pad = -(-(scale - 1) // 2)
        operation = ConvolutionTranspose(
            (scale,) * 2, ((pad, pad),) * 2, (0, 0), (1, 1), groups=weight.shape[0]
        )
        return read.add(operation, x, weight)
    if kind != "nearest":
        raise read.refused(f"sample_type={kind} is not known")
    size = tuple(n * scale for n in read.inputs[0].shape[2:])
    if len(read.inputs) == 1:
        return read.add(Resize(size), *read.inputs)
    for x in read.inputs:
        if any(m % n for n, m in zip(x.shape[2:], size, strict=True)):
            raise read.refused(f"an image of {x.shape} in a size of {size}")
    large = [
        x if x.shape[2:] == size else read.add(Resize(size), x, suffix=f"{i}")
        for i, x in enumerate(read.inputs)
    ]
    if several == "concat":
        return read.add(Concat(1), *large)
    if several != "sum":
        raise read.refused(f"multi_input_mode={several} is not known")
    total, *rest = large
    for i, each in enumerate(rest, 1):
        last = i == len(rest)
        total = read.add(Elementwise("add"), total, each, suffix="" if last else f"sum_{i}")
    return total


@register("_contrib_BilinearResize2D")
def bilinear_resize(read: Reading) -> Value:
    x, *like = read.inputs
    mode = read.text("mode", "size")
    size = [read.integer(each, 1) for each in ("height", "width")]
    scales = [read.number(each, None) for each in ("scale_height", "scale_width")]
    corners = read.flag("align_corners", True)
    scaled = [int(n * s) if s else n for n, s in zip(x.shape[2:], scales, strict=True)]
    if mode == "size":
        size = scaled if any(scales) else size
    elif mode == "like":
        size = list(like[0].shape[2:])
    elif mode in ("odd_scale", "to_even_down", "to_even_up", "to_odd_down", "to_odd_up"):
        size = [_changed(mode, n, s) for n, s in zip(x.shape[2:], scales, strict=True)]
    else:
        raise read.refused(f"mode={mode} is not known")
    return read.add(Resize(tuple(size), "linear", corners), x)


def _changed(mode: str, n: int, scale: float | None) -> int:
    """A size that is even, or odd."""
    if mode == "odd_scale":
        times = scale or 1
        return int(n * times) if n % 2 == 0 else int((n - 1) * times) + 1
    _, parity, direction = mode.split("_")
    right = n % 2 == (parity == "odd")
    return n if right else n + (1 if direction == "up" else -1)


@register("_contrib_AdaptiveAvgPooling2D")
def adaptive_pooling(read: Reading) -> Value:
    (x,) = read.inputs
    size = read.sizes("output_size") or (1,)
    size = size * 2 if len(size) == 1 else size
    if size == (1, 1):
        return read.add(GlobalPool("avg"), x)
    return read.add(AdaptiveAvgPool(size), x)


@register("InstanceNorm")
def instance_norm(read: Reading) -> Value:
    return read.add(InstanceNorm(read.number("eps", 1e-3)), *read.inputs)


@register("GroupNorm")
def group_norm(read: Reading) -> Value:
    """Its gamma and beta have one number for each group."""
    x, *vectors = read.inputs
    groups = read.integer("num_groups", 1)
    read.ignore("output_mean_var")
    apart = []
    for i, vector in enumerate(vectors, 1):
        array = read.array(i)
        if array is None:
            raise read.refused(f"{vector.name} must be an array of the network")
        times = x.shape[1] // vector.shape[0]
        apart.append(
            read.made_of(array, lambda a, n=times: np.repeat(a, n), f"of_{x.shape[1]}")  # type: ignore[misc]
        )
    return read.add(GroupNorm(groups, read.number("eps", 1e-5)), x, *apart)


@register("LRN")
def lrn(read: Reading) -> Value:
    size = read.integer("nsize")
    alpha, beta, k = read.number("alpha", 1e-4), read.number("beta", 0.75), read.number("knorm", 2)
    return read.add(ResponseNorm(size, alpha, beta, k), *read.inputs)


@register("_contrib_ModulatedDeformableConvolution")
def deformable(read: Reading) -> Value:
    rank = len(read.sizes("kernel"))
    strides, dilation = read.sizes("stride", rank, 1), read.sizes("dilate", rank, 1)
    padding = tuple((pad, pad) for pad in read.sizes("pad", rank, 0))
    layout = read.text("layout", None)
    if rank != 2 or layout not in (None, "None", "NCHW"):
        raise read.refused(
            f"images must be (n, c, h, w); got {rank} axes of space, layout={layout}"
        )
    read.ignore("num_filter", "no_bias", "im2col_step")  # the weight and the inputs say so
    groups, parts = read.integer("num_group", 1), read.integer("num_deformable_group", 1)
    return read.add(DeformableConvolution(strides, padding, dilation, groups, parts), *read.inputs)
