"""The convolution of each channel apart, as a Keras layer."""

from __future__ import annotations

import keras

import unified_blocks as ub
from unified_blocks_tensorflow.convolutions import Convolution
from unified_blocks_tensorflow.layers import ACTIVATIONS
from unified_blocks_tensorflow.turning import build_last


@ub.DepthwiseConv2D.native("tensorflow")
class DepthwiseConv2D(ub.DepthwiseConv2D, Convolution, keras.layers.DepthwiseConv2D):
    own = keras.layers.DepthwiseConv2D

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
        # TensorFlow has no steps that differ, and none of what is dilated.
        windows, steps, word, dilation = self.place(
            kernel_size,
            strides,
            padding,
            dilation,
            lambda steps, d: len(set(steps)) > 1 or (max(steps) > 1 and max(d) > 1),
        )
        self.channels_last = layout == "channels_last"
        self.own.__init__(
            self,
            windows,
            steps,
            word,
            multiplier,
            "channels_last",
            dilation,
            ACTIVATIONS[activation],
            use_bias,
            dtype=dtype,
        )
        if in_channels is not None:
            build_last(self, (None, None, None, in_channels))

    def out_channels(self, channels):
        return channels * self.depth_multiplier
