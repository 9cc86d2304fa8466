"""The transposed convolutions of this library as Gluon blocks."""

from __future__ import annotations

import numpy as np

import unified_blocks as ub
from unified_blocks.layers.geometry import is_even, per_axis
from unified_blocks.layers.transposed import cut_of, spread_of
from unified_blocks.types import Mixin
from unified_blocks_mxnet.compat import nn
from unified_blocks_mxnet.convolutions import LAYOUTS
from unified_blocks_mxnet.images import in_layout, padded
from unified_blocks_mxnet.layers import OWN, activated


class Transposed(Mixin):
    """What these add to Gluon's: other padding, any activation, a layout.

    `inside` is the part of the output that is left; None where Gluon's own padding is meant.
    """

    def __init__(
        self,
        channels,
        kernel_size,
        strides=1,
        padding=0,
        output_padding=0,
        dilation=1,
        groups=1,
        *,
        in_channels=None,
        activation=None,
        use_bias=True,
        layout,
        dtype=None,
    ):
        windows = per_axis("", "", kernel_size, self.rank)
        self.spread = spread_of(strides, padding, output_padding, dilation, self.rank)
        strides, pads, more, dilation = self.spread
        even, cut = is_even(pads), cut_of(pads, more)
        padding, more = (cut.before, more) if even else ((0,) * self.rank, cut.more)
        # MXNet's own adds less than a step, in float64 is wrong of steps of what is dilated, and
        # dilates nothing over three axes.
        self.by_convolution = any(extra >= s for extra, s in zip(more, strides, strict=True)) or (
            max(dilation) > 1 and (max(strides) > 1 or self.rank == 3)
        )
        self.inside = None if even else (slice(None), slice(None), *cut.inside)
        self.channels_last = layout == "channels_last"
        self.own.__init__(
            self,
            channels,
            windows,
            strides,
            padding,
            (0,) * self.rank if self.by_convolution else more,
            (1,) * self.rank if self.by_convolution else dilation,
            groups,
            LAYOUTS[self.rank],
            activation if activation in OWN else None,
            use_bias,
            in_channels=in_channels or 0,
        )
        activated(self, activation)
        self.cast(dtype)

    def infer_shape(self, X):
        channels = X.shape[-1 if self.channels_last else 1]
        options = self._kwargs
        self.weight.shape = (channels, self._channels // options["num_group"], *options["kernel"])

    @in_layout
    def hybrid_forward(self, F, X, weight, bias=None):
        # Over three axes MXNet's own is of float32 only.
        narrow = self.rank < 3 or np.dtype(self.weight.dtype) == np.float32
        if self.by_convolution or not narrow:
            return self.convolved(F, X, weight, bias)
        if self.inside is None:
            return self.own.hybrid_forward(self, F, X, weight, bias)
        Y = F.npx.deconvolution(*given(X, weight, bias), **self._kwargs)[self.inside]
        return Y if self.act is None else self.act(Y)

    def convolved(self, F, X, weight, bias):
        """The same by a convolution: of what the steps leave zeros in, with the kernel turned."""
        options = self._kwargs
        kernel, groups = options["kernel"], options["num_group"]
        X = with_zeros(F, X, self.spread.strides)
        pads = [
            ((k - 1) * d - before, (k - 1) * d - after + extra - (s - 1))
            for k, s, (before, after), extra, d in zip(kernel, *self.spread, strict=True)
        ]
        X = padded(F, X, [(max(before, 0), max(after, 0)) for before, after in pads])
        inside = (slice(max(-before, 0), min(after, 0) or None) for before, after in pads)
        X = X[(slice(None), slice(None), *inside)]
        c, o, *_ = self.weight.shape  # (c, o / g, *kernel)
        W = F.np.swapaxes(F.np.reshape(weight, (groups, c // groups, o, *kernel)), 1, 2)
        W = F.np.reshape(W, (groups * o, c // groups, *kernel))
        for axis in range(2, 2 + self.rank):
            W = F.np.flip(W, axis)
        Y = F.npx.convolution(
            *given(X, W, bias),
            kernel=kernel,
            dilate=self.spread.dilation,
            num_filter=groups * o,
            num_group=groups,
            no_bias=bias is None,
            layout=options["layout"],
        )
        return Y if self.act is None else self.act(Y)


def given(*arrays):
    """The arrays that there are: a bias may be none."""
    return [array for array in arrays if array is not None]


def with_zeros(F, X, strides):
    """`X` with so many places for each element, along each axis of space; the rest are zeros."""
    rank = len(strides)
    for i, s in enumerate(strides):
        if s > 1:
            X = F.np.expand_dims(X, i + 3)
            X = F.np.concatenate([X, *[F.np.zeros_like(X)] * (s - 1)], axis=i + 3)
            # Of reshape here -2 keeps a size, and -5 joins two.
            X = F.npx.reshape(X, (*(-2,) * (i + 2), -5, *(-2,) * (rank - i - 1)))
    return X


@ub.Conv1DTranspose.native("mxnet")
class Conv1DTranspose(ub.Conv1DTranspose, Transposed, nn.Conv1DTranspose):
    own = nn.Conv1DTranspose


@ub.Conv2DTranspose.native("mxnet")
class Conv2DTranspose(ub.Conv2DTranspose, Transposed, nn.Conv2DTranspose):
    own = nn.Conv2DTranspose


@ub.Conv3DTranspose.native("mxnet")
class Conv3DTranspose(ub.Conv3DTranspose, Transposed, nn.Conv3DTranspose):
    own = nn.Conv3DTranspose
