"""The normalisations of this library as Keras layers."""

from __future__ import annotations

import keras
import tensorflow as tf

import unified_blocks as ub
from unified_blocks.layers.batch_norm import kept, rounded
from unified_blocks.layers.response_norm import reach
from unified_blocks.types import Mixin
from unified_blocks_tensorflow.policies import as_it_comes


@ub.LayerNorm.native("tensorflow")
class LayerNorm(ub.LayerNorm, keras.layers.LayerNormalization):
    def __init__(self, *, in_units=None, epsilon=1e-5, axes=1, dtype=None):
        axis = list(range(-axes, 0)) if axes > 1 else -1
        keras.layers.LayerNormalization.__init__(
            self, axis=axis, epsilon=rounded(epsilon), dtype=dtype
        )
        if in_units is not None:
            self.build((None, in_units))


@ub.RMSNorm.native("tensorflow")
class RMSNorm(ub.RMSNorm, keras.layers.RMSNormalization):
    def __init__(self, *, in_units=None, epsilon=1e-6, dtype=None):
        keras.layers.RMSNormalization.__init__(self, epsilon=rounded(epsilon), dtype=dtype)
        if in_units is not None:
            self.build((None, in_units))


class AnyRank(Mixin):
    """What norms of channels add to Keras': images of any number of axes, once they are built."""

    takes_channels_last = True  # as Keras calls it: `bind` turns what a layer takes and gives

    def build(self, input_shape):
        super().build(input_shape)
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: input_shape[-1]})


@ub.GroupNorm.native("tensorflow")
class GroupNorm(ub.GroupNorm, AnyRank, keras.layers.GroupNormalization):
    def __init__(
        self,
        groups,
        *,
        in_units=None,
        epsilon=1e-5,
        scale=True,
        center=True,
        layout,
        dtype=None,
    ):
        keras.layers.GroupNormalization.__init__(
            self, groups, epsilon=rounded(epsilon), center=center, scale=scale, dtype=dtype
        )
        self.channels_last = layout == "channels_last"
        if in_units is not None:
            self.build((None, in_units))

    def build(self, input_shape):
        self.check_groups(self.groups, input_shape[-1])
        super().build(input_shape)


@ub.InstanceNorm.native("tensorflow")
class InstanceNorm(ub.InstanceNorm, AnyRank, keras.layers.GroupNormalization):
    def __init__(self, *, in_units=None, epsilon=1e-5, scale=True, center=True, layout, dtype=None):
        keras.layers.GroupNormalization.__init__(
            self, -1, epsilon=rounded(epsilon), center=center, scale=scale, dtype=dtype
        )
        self.channels_last = layout == "channels_last"
        if in_units is not None:
            self.build((None, in_units))


@ub.BatchNorm.native("tensorflow")
class BatchNorm(ub.BatchNorm, AnyRank, keras.layers.BatchNormalization):
    def __init__(
        self,
        *,
        in_units=None,
        epsilon=1e-5,
        momentum=0.1,
        scale=True,
        center=True,
        use_global_stats=False,
        layout,
        dtype=None,
    ):
        keras.layers.BatchNormalization.__init__(
            self,
            momentum=kept(momentum),
            epsilon=rounded(epsilon),
            center=center,
            scale=scale,
            dtype=dtype,
        )
        self.use_global_stats = use_global_stats
        self.channels_last = layout == "channels_last"
        self.axes = None
        if in_units is not None:
            self.build((None, in_units))

    def call(self, X, training=None, mask=None):
        axes = len(X.shape)
        if axes != self.axes:  # Keras tracks what is assigned to a layer, at a price
            self.axes = axes
            self._reduction_axes = tuple(range(axes - 1))
        training = training and not self.use_global_stats
        return super().call(X, training=training, mask=mask)


@ub.LocalResponseNorm.native("tensorflow")
class LocalResponseNorm(ub.LocalResponseNorm, keras.layers.Layer):
    takes_channels_last = True

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0, *, layout):
        keras.layers.Layer.__init__(self, **as_it_comes())
        self.size, self.k, self.alpha, self.beta = size, k, alpha / size, beta
        self.channels_last = layout == "channels_last"

    def call(self, X):
        if self.size % 2 and len(X.shape) == 4 and X.dtype != tf.float64:  # what TensorFlow has
            return tf.nn.local_response_normalization(
                X, self.size // 2, self.k, self.alpha, self.beta
            )
        around = tf.pad(X * X, (*((0, 0),) * (len(X.shape) - 1), reach(self.size)))
        count = X.shape[-1]
        total = sum(around[..., i : i + count] for i in range(self.size))
        return X * (self.k + self.alpha * total) ** -self.beta
