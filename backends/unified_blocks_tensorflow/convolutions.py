"""The convolutions of this library as Keras layers."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

import unified_blocks as ub
from unified_blocks.block import argument
from unified_blocks.layers.geometry import fixed_pads, lengths, pads_of, per_axis, same_pads
from unified_blocks.types import Mixin
from unified_blocks_tensorflow.layers import ACTIVATIONS
from unified_blocks_tensorflow.turning import build_last


class Convolution(Mixin):
    """What the convolutions add to Keras': padding in numbers. They take channels at the end.

    `pads` is what TensorFlow pads before; None where Keras' own padding is meant.
    """

    takes_channels_last = True  # as Keras calls it; `bind` turns what a layer takes and gives

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
        # Keras has no steps of what is dilated.
        windows, steps, word, dilation = self.place(
            kernel_size, strides, padding, dilation, lambda steps, d: max(steps) > 1 and max(d) > 1
        )
        self.channels_last = layout == "channels_last"
        self.own.__init__(
            self,
            channels,
            windows,
            steps,
            word,
            "channels_last",
            dilation,
            groups,
            ACTIVATIONS[activation],
            use_bias,
            dtype=dtype,
        )
        if in_channels is not None:
            build_last(self, (None,) * (self.rank + 1) + (in_channels,))

    def place(self, kernel_size, strides, padding, dilation, apart):
        """Settle where the windows are, and give the arguments of Keras' own.

        Where `apart` says so every place is computed, and some are left out.
        """
        windows, strides, dilation = (
            per_axis("", "", size, self.rank) for size in (kernel_size, strides, dilation)
        )
        pads: Any = pads_of("", padding, self.rank)
        self.steps: Any = strides if apart(strides, dilation) else None
        one = all(step == 1 for step in strides)
        own_same = pads is None or (one and pads == fixed_pads(None, windows, dilation))
        self.grows = pads is None and self.steps is not None  # with its input
        needs = pads is not None and not own_same and any(map(any, pads))
        self.pads = ((0, 0), *pads, (0, 0)) if needs else None
        word = "same" if own_same and not self.grows else "valid"
        return windows, 1 if self.steps else strides, word, dilation

    def out_channels(self, channels):
        return self.filters

    def compute_output_shape(self, input_shape):
        n, *space, channels = input_shape  # as Keras calls it, with channels at the end
        pads = pads_of("", argument(self, "padding"), self.rank)
        steps = self.steps or self.strides
        sizes = lengths(space, self.kernel_size, steps, pads, self.dilation_rate)
        return (n, *sizes, self.out_channels(channels))

    def call(self, X):
        if self.grows or self.pads is not None:
            X = tf.pad(X, self.pads_for(X.shape))
        Y = self.own.call(self, X)
        return Y if self.steps is None else Y[:, *(slice(None, None, step) for step in self.steps)]

    def pads_for(self, shape):
        if not self.grows:
            return self.pads
        sizes = shape[1:-1]
        pads = same_pads(sizes, self.kernel_size, self.steps, self.dilation_rate)
        return ((0, 0), *pads, (0, 0))


@ub.Conv1D.native("tensorflow")
class Conv1D(ub.Conv1D, Convolution, keras.layers.Conv1D):
    own = keras.layers.Conv1D


@ub.Conv2D.native("tensorflow")
class Conv2D(ub.Conv2D, Convolution, keras.layers.Conv2D):
    own = keras.layers.Conv2D


@ub.Conv3D.native("tensorflow")
class Conv3D(ub.Conv3D, Convolution, keras.layers.Conv3D):
    own = keras.layers.Conv3D
