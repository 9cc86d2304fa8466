"""The transposed convolutions of this library as Keras layers."""

from __future__ import annotations

import keras
import tensorflow as tf

import unified_blocks as ub
from unified_blocks.block import argument
from unified_blocks.layers.geometry import per_axis
from unified_blocks.layers.transposed import cut_of, spread_of
from unified_blocks.types import Mixin
from unified_blocks_tensorflow.image_ops import sizes_of
from unified_blocks_tensorflow.layers import ACTIVATIONS
from unified_blocks_tensorflow.turning import build_last


class Transposed(Mixin):
    """What these add to Keras': padding in numbers, groups, and steps of what is dilated.

    `cut` is what is left out and added; None where Keras' own padding is meant.
    """

    takes_channels_last = True  # as Keras calls it: `bind` turns what a layer takes and gives

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
        self.steps, pads, more, self.spread = spread_of(
            strides, padding, output_padding, dilation, self.rank
        )
        own = own_padding(windows, self.steps, pads)
        plain = own is not None and not any(more) and max(self.spread) == groups == 1
        self.cut = None if plain else cut_of(pads, more)
        self.groups = groups
        self.own.__init__(
            self,
            channels,
            windows,
            self.steps,
            own if plain else "valid",
            data_format="channels_last",
            activation=ACTIVATIONS[activation],
            use_bias=use_bias,
            dtype=dtype,
        )
        self.channels_last = layout == "channels_last"
        if in_channels is not None:
            build_last(self, (None,) * (self.rank + 1) + (in_channels,))

    def build(self, input_shape):
        if self.groups == 1:
            self.own.build(self, input_shape)
            return
        filters, use_bias = argument(self, "channels"), argument(self, "use_bias")
        self.filters, self.use_bias = filters // self.groups, False  # of one group
        self.own.build(self, input_shape)
        self.filters, self.use_bias = filters, use_bias
        if use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(filters,), initializer=self.bias_initializer, dtype=self.dtype
            )

    def compute_output_shape(self, input_shape):
        n, *space, _ = input_shape  # as Keras calls it, with channels at the end
        _, pads, more, _ = spread_of(
            1, argument(self, "padding"), argument(self, "output_padding"), 1, self.rank
        )
        sizes = (
            None if m is None else (m - 1) * s - before - after + d * (k - 1) + 1 + extra
            for m, s, (before, after), d, k, extra in zip(
                space, self.steps, pads, self.spread, self.kernel_size, more, strict=True
            )
        )
        return (n, *sizes, self.filters)

    def call(self, X):
        if self.cut is None:
            return self.own.call(self, X)
        kernel = dilated(tf.convert_to_tensor(self.kernel), self.spread)
        batch, *space, _ = sizes_of(X)
        most = [min(extra, s - 1) for extra, s in zip(self.cut.more, self.steps, strict=True)]
        sizes = [
            (m - 1) * s + k + extra
            for m, s, k, extra in zip(space, self.steps, kernel.shape[:-2], most, strict=True)
        ]
        parts = [
            tf.nn.conv_transpose(
                x, each, (batch, *sizes, each.shape[-2]), self.steps, padding="VALID"
            )
            for x, each in zip(
                tf.split(X, self.groups, -1), tf.split(kernel, self.groups, -1), strict=True
            )
        ]
        Y = parts[0] if len(parts) == 1 else tf.concat(parts, -1)
        rest = [(0, extra - had) for extra, had in zip(self.cut.more, most, strict=True)]
        if any(map(any, rest)):
            Y = tf.pad(Y, ((0, 0), *rest, (0, 0)))
        Y = Y[:, *self.cut.inside]
        if self.use_bias:
            Y = Y + tf.convert_to_tensor(self.bias)
        return Y if self.activation is None else self.activation(Y)


def own_padding(windows, strides, pads):
    """Keras' own name for `pads`, if it has one that gives the same output."""
    if any(s > k for k, s in zip(windows, strides, strict=True)):
        return None  # its outputs are larger
    rests = [k - s for k, s in zip(windows, strides, strict=True)]
    if not any(map(any, pads)):
        return "valid"
    return "same" if pads == tuple((rest // 2, rest - rest // 2) for rest in rests) else None


def dilated(kernel, dilation):
    """`kernel` with zeros between: TensorFlow on a CPU dilates none but two-dimensional ones."""
    for axis, d in enumerate(dilation):
        if d > 1:
            size = kernel.shape[axis]
            apart = tf.expand_dims(kernel, axis + 1)
            widths = [(0, d - 1) if i == axis + 1 else (0, 0) for i in range(len(apart.shape))]
            shape = (*kernel.shape[:axis], size * d, *kernel.shape[axis + 1 :])
            kernel = tf.reshape(tf.pad(apart, widths), shape)
            kernel = tf.gather(kernel, tf.range((size - 1) * d + 1), axis=axis)
    return kernel


@ub.Conv1DTranspose.native("tensorflow")
class Conv1DTranspose(ub.Conv1DTranspose, Transposed, keras.layers.Conv1DTranspose):
    own = keras.layers.Conv1DTranspose


@ub.Conv2DTranspose.native("tensorflow")
class Conv2DTranspose(ub.Conv2DTranspose, Transposed, keras.layers.Conv2DTranspose):
    own = keras.layers.Conv2DTranspose


@ub.Conv3DTranspose.native("tensorflow")
class Conv3DTranspose(ub.Conv3DTranspose, Transposed, keras.layers.Conv3DTranspose):
    own = keras.layers.Conv3DTranspose
