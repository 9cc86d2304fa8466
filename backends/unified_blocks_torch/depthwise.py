"""The convolution of each channel apart, as a PyTorch module."""

# mypy: disable-error-code="misc"

from __future__ import annotations

import torch
from torch import nn

import unified_blocks as ub
from unified_blocks_torch.convolutions import Convolution


@ub.DepthwiseConv2D.native("torch")
class DepthwiseConv2D(ub.DepthwiseConv2D, Convolution, nn.LazyConv2d):
    """PyTorch has it as a convolution of as many groups as there are channels."""

    eager, lazy, convolve = nn.Conv2d, nn.LazyConv2d, staticmethod(torch.conv2d)

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
        self.multiplier = multiplier
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

    def initialize_parameters(self, X):
        if self.has_uninitialized_params():
            self.take_channels(X.shape[-1 if self.channels_last else 1])
        super().initialize_parameters(X)

    def take_channels(self, channels):
        """Be one of so many channels."""
        self.groups, self.out_channels = channels, channels * self.multiplier
