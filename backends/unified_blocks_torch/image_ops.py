"""The part of `ub.ops` that is about images, on PyTorch tensors."""

from __future__ import annotations

import torch
from torch.nn import functional as F

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


@torch.fx.wrap
def pad(x, pads, mode, value):
    if mode == "constant":
        return F.pad(x, [size for pair in reversed(pads) for size in pair], value=value)
    for axis, (before, after) in enumerate(pads):
        if not before and not after:
            continue
        n = x.shape[axis]
        if mode == "reflect":
            start = x.narrow(axis, 1, before).flip(axis)
            end = x.narrow(axis, n - 1 - after, after).flip(axis)
        else:
            sizes = [-1] * x.dim()
            sizes[axis] = before
            start = x.narrow(axis, 0, 1).expand(sizes)
            sizes[axis] = after
            end = x.narrow(axis, n - 1, 1).expand(sizes)
        x = torch.cat((start, x, end), axis)
    return x


@torch.fx.wrap
def resize(x, sizes, axes, method, align_corners):
    rank = len(axes)
    images = x.movedim(axes, tuple(range(-rank, 0)))  # (…, *space)
    shape = images.shape[:-rank]
    images = images.reshape(1, -1, *images.shape[-rank:])  # what PyTorch takes: (n, c, *space)
    if method == "nearest":
        resized = F.interpolate(images, sizes, mode="nearest")
    else:
        resized = F.interpolate(images, sizes, mode=LINEAR[rank], align_corners=align_corners)
    return resized.reshape(*shape, *sizes).movedim(tuple(range(-rank, 0)), axes)
