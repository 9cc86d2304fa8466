"""The normalisations of this library as Keras layers."""

from __future__ import annotations

import keras
import numpy as np

import unified_blocks as ub
from unified_blocks.layers.batch_norm import kept


@ub.LayerNorm.native("tensorflow")
class LayerNorm(ub.LayerNorm, keras.layers.LayerNormalization):
    def __init__(self, *, in_units=None, epsilon=1e-5, dtype=None):
        keras.layers.LayerNormalization.__init__(
            self, epsilon=float(np.float32(epsilon)), dtype=dtype
        )
        if in_units is not None:
            self.build((None, in_units))


@ub.BatchNorm.native("tensorflow")
class BatchNorm(ub.BatchNorm, keras.layers.BatchNormalization):
    def __init__(self, *, in_units=None, epsilon=1e-5, momentum=0.1, dtype=None):
        keras.layers.BatchNormalization.__init__(
            self, axis=1, momentum=kept(momentum), epsilon=float(np.float32(epsilon)), dtype=dtype
        )
        self.rank = None
        if in_units is not None:
            self.build((None, in_units))

    def build(self, input_shape):
        super().build(input_shape)
        # Built for in_units alone it would take two dimensions only.
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={1: input_shape[1]})

    def call(self, X, training=None, mask=None):
        rank = len(X.shape)
        if rank != self.rank:  # Keras tracks what is assigned to a layer, at a price
            self.rank = rank
            self.axis = -1 if rank == 2 else 1  # the same one; the last needs no reshaping
            self._reduction_axes = (0, *range(2, rank))
        return super().call(X, training=training, mask=mask)
