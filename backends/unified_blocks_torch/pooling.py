"""The pooling layers of this library as PyTorch modules."""

# PyTorch's own classes of one family do not agree on their attributes.
# mypy: disable-error-code="misc"

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

import unified_blocks as ub
from unified_blocks.layers.geometry import beyond, is_even, same_pads, windows_over
from unified_blocks.types import Mixin
from unified_blocks_torch.convolutions import flat
from unified_blocks_torch.images import in_layout


def own_padding(windows, ceil_mode):
    """What PyTorch's own layer is to pad; None where it cannot: it has one number, of k / 2."""
    sizes, strides, pads, over = windows
    if not is_even(pads) or any(2 * before > k for (before, _), k in zip(pads, sizes, strict=True)):
        return None
    padding = tuple(before for before, _ in pads)
    if ceil_mode == "full" and over != windows_over(sizes, strides, padding, True, len(sizes)).over:
        return None
    return padding


class Pooling(Mixin):
    """What the pooling layers add to PyTorch's: other padding, a layout.

    `pads` is what `F.pad` is given before; None where PyTorch's own padding is meant.
    """

    def pads_for(self, X):
        if not self.grows:
            return self.pads
        return flat(same_pads(X.shape[2:], self.kernel_size, self.stride, (1,) * self.rank))


class Maximum(Pooling):
    def __init__(self, pool_size, strides=None, padding=0, *, ceil_mode=False, layout):
        windows = windows_over(pool_size, strides, padding, ceil_mode, self.rank)
        own = own_padding(windows, ceil_mode)
        self.grows = windows.pads is None  # with its input
        self.pads = flat(windows.over) if own is None and not self.grows else None
        self.channels_last = layout == "channels_last"
        ceil = bool(ceil_mode) and own is not None
        self.own.__init__(self, windows.sizes, windows.strides, own or 0, ceil_mode=ceil)

    @in_layout
    def forward(self, X):
        if self.pads is not None or self.grows:
            X = F.pad(X, self.pads_for(X), value=-torch.inf)
        return self.own.forward(self, X)


class Mean(Pooling):
    """`rest` is what is padded and does not count."""

    def __init__(
        self,
        pool_size,
        strides=None,
        padding=0,
        *,
        ceil_mode=False,
        count_include_pad=True,
        layout,
    ):
        windows = windows_over(pool_size, strides, padding, ceil_mode, self.rank)
        own = own_padding(windows, ceil_mode)
        self.grows = windows.pads is None  # with its input
        self.counts_all = count_include_pad
        self.pads = self.rest = None
        if own is None and not self.grows:
            counted = windows.pads if count_include_pad else ((0, 0),) * self.rank
            rest = beyond(windows.over, counted)
            self.pads = flat(counted)
            self.rest = flat(rest) if any(map(any, rest)) else None
        self.channels_last = layout == "channels_last"
        ceil = bool(ceil_mode) and own is not None
        self.own.__init__(self, windows.sizes, windows.strides, own or 0, ceil, count_include_pad)

    @in_layout
    def forward(self, X):
        if self.pads is None and not self.grows:
            return self.own.forward(self, X)
        pads, rest = self.pads_for(X), self.rest
        if self.grows and not self.counts_all:
            pads, rest = (0,) * len(pads), pads
        X = F.pad(X, pads)
        if rest is None:
            return self.own.forward(self, X)
        # Of each window the share that counts; of nothing the mean is 0.
        share = self.own.forward(self, F.pad(torch.ones_like(X[:1, :1]), rest))
        return self.own.forward(self, F.pad(X, rest)) / (share + (share == 0))


@ub.MaxPool1D.native("torch")
class MaxPool1D(ub.MaxPool1D, Maximum, nn.MaxPool1d):
    own = nn.MaxPool1d


@ub.MaxPool2D.native("torch")
class MaxPool2D(ub.MaxPool2D, Maximum, nn.MaxPool2d):
    own = nn.MaxPool2d


@ub.MaxPool3D.native("torch")
class MaxPool3D(ub.MaxPool3D, Maximum, nn.MaxPool3d):
    own = nn.MaxPool3d


@ub.AvgPool1D.native("torch")
class AvgPool1D(ub.AvgPool1D, Mean, nn.AvgPool1d):
    own = nn.AvgPool1d


@ub.AvgPool2D.native("torch")
class AvgPool2D(ub.AvgPool2D, Mean, nn.AvgPool2d):
    own = nn.AvgPool2d


@ub.AvgPool3D.native("torch")
class AvgPool3D(ub.AvgPool3D, Mean, nn.AvgPool3d):
    own = nn.AvgPool3d


class Adaptive(Mixin):
    """What the others add to PyTorch's: a layout. By default a whole image is one window."""

    def __init__(self, output_size=1, *, layout):
        self.channels_last = layout == "channels_last"
        self.own.__init__(self, output_size)

    @in_layout
    def forward(self, X):
        return self.own.forward(self, X)


@ub.GlobalMaxPool1D.native("torch")
class GlobalMaxPool1D(ub.GlobalMaxPool1D, Adaptive, nn.AdaptiveMaxPool1d):
    own = nn.AdaptiveMaxPool1d


@ub.GlobalMaxPool2D.native("torch")
class GlobalMaxPool2D(ub.GlobalMaxPool2D, Adaptive, nn.AdaptiveMaxPool2d):
    own = nn.AdaptiveMaxPool2d


@ub.GlobalMaxPool3D.native("torch")
class GlobalMaxPool3D(ub.GlobalMaxPool3D, Adaptive, nn.AdaptiveMaxPool3d):
    own = nn.AdaptiveMaxPool3d


@ub.GlobalAvgPool1D.native("torch")
class GlobalAvgPool1D(ub.GlobalAvgPool1D, Adaptive, nn.AdaptiveAvgPool1d):
    own = nn.AdaptiveAvgPool1d


@ub.GlobalAvgPool2D.native("torch")
class GlobalAvgPool2D(ub.GlobalAvgPool2D, Adaptive, nn.AdaptiveAvgPool2d):
    own = nn.AdaptiveAvgPool2d


@ub.GlobalAvgPool3D.native("torch")
class GlobalAvgPool3D(ub.GlobalAvgPool3D, Adaptive, nn.AdaptiveAvgPool3d):
    own = nn.AdaptiveAvgPool3d


@ub.AdaptiveAvgPool2D.native("torch")
class AdaptiveAvgPool2D(ub.AdaptiveAvgPool2D, Adaptive, nn.AdaptiveAvgPool2d):
    own = nn.AdaptiveAvgPool2d
