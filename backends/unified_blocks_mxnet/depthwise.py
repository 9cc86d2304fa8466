"""The convolution of each channel apart, as a Gluon block."""

from __future__ import annotations

import unified_blocks as ub
from unified_blocks_mxnet.compat import nn
from unified_blocks_mxnet.convolutions import Convolution


@ub.DepthwiseConv2D.native("mxnet")
class DepthwiseConv2D(ub.DepthwiseConv2D, Convolution, nn.Conv2D):
    """Gluon has it as a convolution of as many groups as there are channels."""

    own = nn.Conv2D

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding=0,
        dilation=1,
        multiplier=1,
        *,
        in_channels=None,
        activation=None,
        use_bias=True,
        layout,
        dtype=None,
    ):
        channels = in_channels or 1  # or not known yet
        Convolution.__init__(
            self,
            channels * multiplier,
            kernel_size,
            strides,
            padding,
            dilation,
            channels,
            in_channels=in_channels,
            activation=activation,
            use_bias=use_bias,
            layout=layout,
            dtype=dtype,
        )
        self.multiplier = multiplier
        if in_channels is None:
            self.weight._shape = (-1, 1, *self._kwargs["kernel"])
            if self.bias is not None:
                self.bias._shape = (-1,)

    def infer_shape(self, X):
        made = X.shape[-1 if self.channels_last else 1] * self.multiplier
        self.weight.shape = (made, 1, *self._kwargs["kernel"])
        if self.bias is not None:
            self.bias.shape = (made,)

    def hybrid_forward(self, F, X, weight, bias=None):
        made = self.weight.shape[0]
        if made != self._kwargs["num_filter"]:  # it had not been known
            self._kwargs.update(num_filter=made, num_group=made // self.multiplier)
        return Convolution.hybrid_forward(self, F, X, weight=weight, bias=bias)
