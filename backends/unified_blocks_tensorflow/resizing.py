"""The layers that change the size of images, as Keras layers."""

from __future__ import annotations

import keras
import tensorflow as tf

import unified_blocks as ub
from unified_blocks.layers.geometry import per_axis
from unified_blocks_tensorflow.image_ops import resize, sizes_of
from unified_blocks_tensorflow.policies import as_it_comes


@ub.UpSampling2D.native("tensorflow")
class UpSampling2D(ub.UpSampling2D, keras.layers.UpSampling2D):
    takes_channels_last = True

    def __init__(self, size=2, *, interpolation="nearest", align_corners=False, layout):
        self.channels_last = layout == "channels_last"
        self.align_corners = align_corners
        factors = per_axis("", "", size, 2)
        keras.layers.UpSampling2D.__init__(
            self, factors, "channels_last", interpolation, **as_it_comes()
        )

    def call(self, X):
        nearest = self.interpolation == "nearest"
        if nearest or (X.dtype != tf.float64 and not self.align_corners):
            return keras.layers.UpSampling2D.call(self, X)
        # TensorFlow's own lines are of float32, and from corner to corner Keras has none.
        sizes = [sizes_of(X)[axis] * factor for axis, factor in zip((1, 2), self.size, strict=True)]
        return resize(X, sizes, (-3, -2), self.interpolation, self.align_corners)


@ub.PixelShuffle.native("tensorflow")
class PixelShuffle(ub.PixelShuffle, keras.layers.Layer):
    """Keras has no such layer."""

    takes_channels_last = True

    def __init__(self, factor, *, layout):
        keras.layers.Layer.__init__(self, **as_it_comes())
        self.channels_last = layout == "channels_last"
        self.factor = factor

    def call(self, X):
        r = self.factor
        _, h, w, c = sizes_of(X)
        apart = tf.reshape(X, (-1, h, w, c // r**2, r, r))
        return tf.reshape(tf.transpose(apart, (0, 1, 4, 2, 5, 3)), (-1, h * r, w * r, c // r**2))
