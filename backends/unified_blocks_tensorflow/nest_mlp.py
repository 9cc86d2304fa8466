from __future__ import annotations

import keras

import unified_blocks as ub
from unified_blocks_tensorflow.layers import dense


@ub.NestMLP.native("tensorflow")
class NestMLP(ub.NestMLP, keras.Model):
    def __init__(self, *, in_units=None, out_activation="relu", dtype=None):
        keras.Model.__init__(self, dtype=dtype)
        self.net = keras.Sequential(
            [
                dense(64, in_units=in_units, activation="relu", dtype=dtype),
                dense(32, in_units=64, activation="relu", dtype=dtype),
            ]
        )
        self.net.autocast = False  # each layer casts to its own dtype
        self.dense = dense(16, in_units=32, activation=out_activation, dtype=dtype)

    def call(self, X):
        return self.dense(self.net(X))
