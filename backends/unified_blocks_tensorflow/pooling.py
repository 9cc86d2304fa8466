"""The pooling layers of this library as Keras layers."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

import unified_blocks as ub
from unified_blocks.errors import UnsupportedError
from unified_blocks.layers.geometry import (
    beyond,
    fixed_pads,
    lengths,
    per_axis,
    same_pads,
    windows_over,
)
from unified_blocks.types import Mixin
from unified_blocks_tensorflow.policies import as_it_comes


class Pooling(Mixin):
    """What the pooling layers add to Keras': padding in numbers. They take channels at the end.

    `pads` is what TensorFlow pads before; None where Keras' own padding is meant.
    """

    takes_channels_last = True  # as Keras calls it: `bind` turns what a layer takes and gives

    def pads_for(self, X):
        if not self.grows:
            return self.pads
        if None in X.shape[1:-1]:
            raise UnsupportedError(
                f'{type(self).__name__}: padding "same" that counts in the mean depends on the '
                f"size of the input; got one of shape {tuple(X.shape)}: write the padding as pairs "
                "(before, after), or count_include_pad=False"
            )
        return same_pads(X.shape[1:-1], self.pool_size, self.strides, (1,) * self.rank)

    def compute(self, X):
        """What Keras' own layer gives of `X`."""
        return self.own.call(self, X)

    def compute_output_shape(self, input_shape):
        n, *space, channels = input_shape  # as Keras calls it, with channels at the end
        sizes = lengths(space, self.pool_size, self.strides, self.over, (1,) * self.rank)
        return (n, *sizes, channels)


class InSpace(Mixin):
    """What pools over three axes: TensorFlow on a CPU does so in float32 and bfloat16 only.

    In another dtype it is done over two of them, and then over the first.
    """

    def compute(self, X):
        if X.dtype in (tf.float32, tf.bfloat16):
            return self.own.call(self, X)
        pool = tf.nn.max_pool2d if self.pool_mode == "max" else tf.nn.avg_pool2d
        padding = self.padding.upper()
        first, *size = self.pool_size
        step, *steps = self.strides
        _, depth, height, width, channels = (
            traced if known is None else known
            for known, traced in zip(X.shape, tf.unstack(tf.shape(X)), strict=True)
        )
        planes = tf.reshape(X, (-1, height, width, channels))  # (n · d, h, w, c)
        planes = pool(planes, size, steps, padding)
        sizes = [
            tf.shape(planes)[i] if known is None else known for i, known in enumerate(planes.shape)
        ]
        lines = tf.reshape(planes, (-1, depth, sizes[1] * sizes[2], channels))
        lines = pool(lines, (first, 1), (step, 1), padding)  # (n, d', h' · w', c)
        return tf.reshape(lines, (-1, lines.shape[1] or tf.shape(lines)[1], *sizes[1:]))


def own_same(windows, padding):
    """Whether the windows are those of Keras' own padding `"same"`."""
    sizes, strides, pads, over = windows
    one = (1,) * len(sizes)
    return padding == "same" or (strides == one and pads == over == fixed_pads(None, sizes, one))


def even_means(n, m):
    """The matrix `(m, n)` that takes the means of m windows of n numbers."""
    start = np.arange(m)[:, None] * n // m
    end = -(-(np.arange(m)[:, None] + 1) * n // m)
    inside = (np.arange(n) >= start) & (np.arange(n) < end)
    return inside / (end - start)


def padded(X, pads, value=0):
    """`X` with that much around its axes of space."""
    return tf.pad(X, ((0, 0), *pads, (0, 0)), constant_values=value)


class Maximum(Pooling):
    def __init__(self, pool_size, strides=None, padding=0, *, ceil_mode=False, layout):
        windows = windows_over(pool_size, strides, padding, ceil_mode, self.rank)
        same = own_same(windows, padding)
        self.pads = windows.over if not same and any(map(any, windows.over)) else None
        self.over = windows.over
        self.channels_last = layout == "channels_last"
        self.own.__init__(
            self,
            windows.sizes,
            windows.strides,
            "same" if same else "valid",
            "channels_last",
            **as_it_comes(),
        )

    def call(self, X):
        if self.pads is not None:
            X = padded(X, self.pads, -np.inf)
        return self.compute(X)


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
        same = not count_include_pad and own_same(windows, padding)
        self.grows = windows.pads is None and not same  # with its input
        self.pads = self.rest = None
        if not same and not self.grows and any(map(any, windows.over)):
            self.pads = windows.pads if count_include_pad else ((0, 0),) * self.rank
            rest = beyond(windows.over, self.pads)
            self.rest = rest if any(map(any, rest)) else None
        self.over = windows.over
        self.channels_last = layout == "channels_last"
        self.own.__init__(
            self,
            windows.sizes,
            windows.strides,
            "same" if same else "valid",
            "channels_last",
            **as_it_comes(),
        )

    def call(self, X):
        if self.pads is not None or self.grows:
            X = padded(X, self.pads_for(X))
        if self.rest is None:
            return self.compute(X)
        # Of each window the share that counts; of nothing the mean is 0.
        share = self.compute(padded(tf.ones_like(X[:1, ..., :1]), self.rest))
        share = tf.where(share == 0, tf.ones_like(share), share)
        return self.compute(padded(X, self.rest)) / share


@ub.MaxPool1D.native("tensorflow")
class MaxPool1D(ub.MaxPool1D, Maximum, keras.layers.MaxPooling1D):
    own = keras.layers.MaxPooling1D


@ub.MaxPool2D.native("tensorflow")
class MaxPool2D(ub.MaxPool2D, Maximum, keras.layers.MaxPooling2D):
    own = keras.layers.MaxPooling2D


@ub.MaxPool3D.native("tensorflow")
class MaxPool3D(ub.MaxPool3D, InSpace, Maximum, keras.layers.MaxPooling3D):
    own = keras.layers.MaxPooling3D


@ub.AvgPool1D.native("tensorflow")
class AvgPool1D(ub.AvgPool1D, Mean, keras.layers.AveragePooling1D):
    own = keras.layers.AveragePooling1D


@ub.AvgPool2D.native("tensorflow")
class AvgPool2D(ub.AvgPool2D, Mean, keras.layers.AveragePooling2D):
    own = keras.layers.AveragePooling2D


@ub.AvgPool3D.native("tensorflow")
class AvgPool3D(ub.AvgPool3D, InSpace, Mean, keras.layers.AveragePooling3D):
    own = keras.layers.AveragePooling3D


class Global(Mixin):
    """What the pooling of whole images adds to Keras': it keeps their axes."""

    takes_channels_last = True

    def __init__(self, *, layout):
        self.channels_last = layout == "channels_last"
        self.own.__init__(self, "channels_last", True, **as_it_comes())


@ub.GlobalMaxPool1D.native("tensorflow")
class GlobalMaxPool1D(ub.GlobalMaxPool1D, Global, keras.layers.GlobalMaxPooling1D):
    own = keras.layers.GlobalMaxPooling1D


@ub.GlobalMaxPool2D.native("tensorflow")
class GlobalMaxPool2D(ub.GlobalMaxPool2D, Global, keras.layers.GlobalMaxPooling2D):
    own = keras.layers.GlobalMaxPooling2D


@ub.GlobalMaxPool3D.native("tensorflow")
class GlobalMaxPool3D(ub.GlobalMaxPool3D, Global, keras.layers.GlobalMaxPooling3D):
    own = keras.layers.GlobalMaxPooling3D


@ub.GlobalAvgPool1D.native("tensorflow")
class GlobalAvgPool1D(ub.GlobalAvgPool1D, Global, keras.layers.GlobalAveragePooling1D):
    own = keras.layers.GlobalAveragePooling1D


@ub.GlobalAvgPool2D.native("tensorflow")
class GlobalAvgPool2D(ub.GlobalAvgPool2D, Global, keras.layers.GlobalAveragePooling2D):
    own = keras.layers.GlobalAveragePooling2D


@ub.GlobalAvgPool3D.native("tensorflow")
class GlobalAvgPool3D(ub.GlobalAvgPool3D, Global, keras.layers.GlobalAveragePooling3D):
    own = keras.layers.GlobalAveragePooling3D


@ub.AdaptiveAvgPool2D.native("tensorflow")
class AdaptiveAvgPool2D(ub.AdaptiveAvgPool2D, keras.layers.AdaptiveAveragePooling2D):
    takes_channels_last = True

    def __init__(self, output_size, *, layout):
        self.channels_last = layout == "channels_last"
        size = per_axis("", "", output_size, 2)
        keras.layers.AdaptiveAveragePooling2D.__init__(
            self, size, data_format="channels_last", **as_it_comes()
        )

    def call(self, X):
        # Keras' own looks for windows of n + 1 where one is asked for, which TensorFlow refuses.
        if None in X.shape[1:-1]:
            raise UnsupportedError(
                f"{type(self).__name__} on TensorFlow must be given an image of a known size; got "
                f"one of shape {tuple(X.shape)}: give the size, or use GlobalAvgPool2D"
            )
        rows, columns = (
            tf.constant(even_means(n, m), X.dtype)
            for n, m in zip(X.shape[1:-1], self.output_size, strict=True)
        )
        return tf.einsum("ih,nhwc,jw->nijc", rows, X, columns)
