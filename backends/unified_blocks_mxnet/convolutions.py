"""The convolutions of this library as Gluon blocks."""

from __future__ import annotations

import unified_blocks as ub
from unified_blocks.layers.geometry import fixed_pads, pads_of, per_axis
from unified_blocks.types import Mixin
from unified_blocks_mxnet.compat import nn
from unified_blocks_mxnet.images import in_layout, pads_of_same
from unified_blocks_mxnet.layers import OWN, activated

LAYOUTS = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


class Convolution(Mixin):
    """What the convolutions add to Gluon's: other padding, any activation, a layout."""

    def __init__(
        self,
        channels,
        kernel_size,
        strides=1,
        padding=0,
        dilation=1,
        groups=1,
        *,
        in_channels=None,
        activation=None,
        use_bias=True,
        layout,
        dtype=None,
    ):
        windows, strides, dilation = (
            per_axis("", "", size, self.rank) for size in (kernel_size, strides, dilation)
        )
        pads = pads_of("", padding, self.rank)
        self.grows = pads is None and any(step > 1 for step in strides)  # with its input
        pads = fixed_pads(pads, windows, dilation)
        even = not self.grows and all(before == after for before, after in pads)
        self.pads = None if even else pads
        self.channels_last = layout == "channels_last"
        self.own.__init__(
            self,
            channels,
            windows,
            strides,
            tuple(before for before, _ in pads) if even else (0,) * self.rank,
            dilation,
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
        self.weight.shape = (self._channels, channels // options["num_group"], *options["kernel"])

    @in_layout
    def hybrid_forward(self, F, X, weight, bias=None):
        if self.pads is not None:
            X = F.np.pad(X, ((0, 0), (0, 0), *self.pads_for(X)))
        return self.own.hybrid_forward(self, F, X, weight, bias)

    def pads_for(self, X):
        if not self.grows:
            return self.pads
        options = (self._kwargs[name] for name in ("kernel", "stride", "dilate"))
        return pads_of_same(self, X, *options)


@ub.Conv1D.native("mxnet")
class Conv1D(ub.Conv1D, Convolution, nn.Conv1D):
    own = nn.Conv1D


@ub.Conv2D.native("mxnet")
class Conv2D(ub.Conv2D, Convolution, nn.Conv2D):
    own = nn.Conv2D


@ub.Conv3D.native("mxnet")
class Conv3D(ub.Conv3D, Convolution, nn.Conv3D):
    own = nn.Conv3D
