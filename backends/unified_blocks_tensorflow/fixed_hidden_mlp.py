from __future__ import annotations

import keras
import tensorflow as tf

import unified_blocks as ub
from unified_blocks.blocks.fixed_hidden_mlp import halving_error
from unified_blocks_tensorflow.halving import halved
from unified_blocks_tensorflow.layers import dense
from unified_blocks_tensorflow.ops import check_finite


@ub.FixedHiddenMLP.native("tensorflow")
class FixedHiddenMLP(ub.FixedHiddenMLP, keras.Model):
    def __init__(self, units=20, *, activation="relu", dtype=None):
        keras.Model.__init__(self, dtype=dtype)
        self.rand_weight = self.add_weight(
            name="rand_weight",
            shape=(units, units),
            initializer=keras.initializers.RandomUniform(0.0, 1.0),
            trainable=False,
        )
        self.dense = dense(units, in_units=units, activation=activation, dtype=dtype)

    def call(self, X):
        H = self.dense(X)
        H = tf.nn.relu(H @ self.rand_weight + 1)
        H = self.dense(H)  # the same layer again: its parameters are shared
        if not tf.executing_eagerly():
            return tf.reduce_sum(halved(H, H.dtype))  # the loop below, for a graph that has none
        while check_finite(tf.reduce_sum(tf.abs(H)), halving_error) > 1:
            H = H / 2
        return tf.reduce_sum(H)
