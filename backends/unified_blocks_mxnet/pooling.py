"""The pooling layers of this library as Gluon blocks."""

from __future__ import annotations

import numpy as np

import unified_blocks as ub
from unified_blocks.layers.geometry import beyond, is_even, per_axis, windows_over
from unified_blocks.types import Mixin
from unified_blocks_mxnet.compat import mx, nn
from unified_blocks_mxnet.convolutions import LAYOUTS
from unified_blocks_mxnet.functions import legacy
from unified_blocks_mxnet.images import in_layout, padded, pads_of_same


def own_padding(windows, ceil_mode):
    """What Gluon's own layer is to pad; None where it cannot: it has one number, and "full"."""
    if not is_even(windows.pads):
        return None
    padding = tuple(before for before, _ in windows.pads)
    full = windows_over(windows.sizes, windows.strides, padding, "full", len(padding))
    return None if ceil_mode and windows.over != full.over else padding


class Pooling(Mixin):
    """What the pooling layers add to Gluon's: other padding, a layout.

    `pads` is what is padded before; None where Gluon's own padding is meant.
    """

    def pads_for(self, X):
        if not self.grows:
            return self.pads
        sizes, strides = self._kwargs["kernel"], self._kwargs["stride"]
        return pads_of_same(self, X, sizes, strides, (1,) * self.rank)


def largest(layer, F, X):
    """What Gluon's own layer gives of `X`, with a gradient that is right in inference too.

    In float32 MXNet keeps where the largest are in training only.
    """
    if F is mx.nd and mx.autograd.is_recording():
        with mx.autograd.train_mode():
            return layer.own.hybrid_forward(layer, F, X)
    return layer.own.hybrid_forward(layer, F, X)


class Maximum(Pooling):
    def __init__(self, pool_size, strides=None, padding=0, *, ceil_mode=False, layout):
        windows = windows_over(pool_size, strides, padding, ceil_mode, self.rank)
        own = own_padding(windows, ceil_mode)
        self.grows = windows.pads is None  # with its input
        self.pads = windows.over if own is None and not self.grows else None
        self.channels_last = layout == "channels_last"
        self.own.__init__(
            self,
            windows.sizes,
            windows.strides,
            own or 0,
            layout=LAYOUTS[self.rank],
            ceil_mode=bool(ceil_mode) and own is not None,
        )

    @in_layout
    def hybrid_forward(self, F, X):
        if self.pads is not None or self.grows:
            X = padded(F, X, self.pads_for(X), -np.inf)
        return largest(self, F, X)


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
        # The gradient of Gluon's own is wrong in float32 where a window reaches beyond the padding.
        own = own_padding(windows, False) if windows.over == windows.pads else None
        self.grows = windows.pads is None  # with its input
        self.counts_all = count_include_pad
        self.pads = self.rest = None
        if own is None and not self.grows:
            self.pads = windows.pads if count_include_pad else ((0, 0),) * self.rank
            rest = beyond(windows.over, self.pads)
            self.rest = rest if any(map(any, rest)) else None
        self.channels_last = layout == "channels_last"
        self.own.__init__(
            self,
            windows.sizes,
            windows.strides,
            own or 0,
            layout=LAYOUTS[self.rank],
            count_include_pad=count_include_pad,
        )

    @in_layout
    def hybrid_forward(self, F, X):
        if self.pads is None and not self.grows:
            return self.own.hybrid_forward(self, F, X)
        pads, rest = self.pads_for(X), self.rest
        if self.grows and not self.counts_all:
            pads, rest = ((0, 0),) * self.rank, pads
        X = padded(F, X, pads)
        if rest is None:
            return self.own.hybrid_forward(self, F, X)
        # Of each window the share that counts; of nothing the mean is 0.
        share = self.own.hybrid_forward(self, F, padded(F, F.np.ones_like(X), rest))
        share = F.np.where(F.np.equal(share, 0), F.np.ones_like(share), share)
        return self.own.hybrid_forward(self, F, padded(F, X, rest)) / share


@ub.MaxPool1D.native("mxnet")
class MaxPool1D(ub.MaxPool1D, Maximum, nn.MaxPool1D):
    own = nn.MaxPool1D


@ub.MaxPool2D.native("mxnet")
class MaxPool2D(ub.MaxPool2D, Maximum, nn.MaxPool2D):
    own = nn.MaxPool2D


@ub.MaxPool3D.native("mxnet")
class MaxPool3D(ub.MaxPool3D, Maximum, nn.MaxPool3D):
    own = nn.MaxPool3D


@ub.AvgPool1D.native("mxnet")
class AvgPool1D(ub.AvgPool1D, Mean, nn.AvgPool1D):
    own = nn.AvgPool1D


@ub.AvgPool2D.native("mxnet")
class AvgPool2D(ub.AvgPool2D, Mean, nn.AvgPool2D):
    own = nn.AvgPool2D


@ub.AvgPool3D.native("mxnet")
class AvgPool3D(ub.AvgPool3D, Mean, nn.AvgPool3D):
    own = nn.AvgPool3D


class Global(Mixin):
    """What the pooling of whole images adds to Gluon's: a layout."""

    def __init__(self, *, layout):
        self.channels_last = layout == "channels_last"
        self.own.__init__(self, LAYOUTS[self.rank])

    @in_layout
    def hybrid_forward(self, F, X):
        return largest(self, F, X)


@ub.GlobalMaxPool1D.native("mxnet")
class GlobalMaxPool1D(ub.GlobalMaxPool1D, Global, nn.GlobalMaxPool1D):
    own = nn.GlobalMaxPool1D


@ub.GlobalMaxPool2D.native("mxnet")
class GlobalMaxPool2D(ub.GlobalMaxPool2D, Global, nn.GlobalMaxPool2D):
    own = nn.GlobalMaxPool2D


@ub.GlobalMaxPool3D.native("mxnet")
class GlobalMaxPool3D(ub.GlobalMaxPool3D, Global, nn.GlobalMaxPool3D):
    own = nn.GlobalMaxPool3D


@ub.GlobalAvgPool1D.native("mxnet")
class GlobalAvgPool1D(ub.GlobalAvgPool1D, Global, nn.GlobalAvgPool1D):
    own = nn.GlobalAvgPool1D


@ub.GlobalAvgPool2D.native("mxnet")
class GlobalAvgPool2D(ub.GlobalAvgPool2D, Global, nn.GlobalAvgPool2D):
    own = nn.GlobalAvgPool2D


@ub.GlobalAvgPool3D.native("mxnet")
class GlobalAvgPool3D(ub.GlobalAvgPool3D, Global, nn.GlobalAvgPool3D):
    own = nn.GlobalAvgPool3D


@ub.AdaptiveAvgPool2D.native("mxnet")
class AdaptiveAvgPool2D(ub.AdaptiveAvgPool2D, nn.HybridBlock):
    """Gluon has no such layer, and MXNet the operation."""

    def __init__(self, output_size, *, layout):
        nn.HybridBlock.__init__(self)
        self.output_size = per_axis("", "", output_size, 2)
        self.channels_last = layout == "channels_last"

    @in_layout
    def hybrid_forward(self, F, X):
        def pooled(X):
            return F.contrib.AdaptiveAvgPooling2D(X, output_size=self.output_size)

        return legacy(pooled, X)
