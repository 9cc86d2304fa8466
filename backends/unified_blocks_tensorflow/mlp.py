from __future__ import annotations

import keras

import unified_blocks as ub
from unified_blocks_tensorflow.layers import dense


@ub.MLP.native("tensorflow")
class MLP(ub.MLP, keras.Model):
    def __init__(self, hidden_units=256, out_units=10, *, in_units=None, dtype=None):
        keras.Model.__init__(self, dtype=dtype)
        self.hidden = dense(hidden_units, in_units=in_units, activation="relu", dtype=dtype)
        self.out = dense(out_units, in_units=hidden_units, dtype=dtype)

    def call(self, X):
        return self.out(self.hidden(X))
