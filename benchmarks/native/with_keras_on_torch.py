"""The networks in Keras on PyTorch: `KERAS_BACKEND=torch`."""

from __future__ import annotations

import keras
from keras.layers import AveragePooling2D, Conv2D, Dense, Flatten

if keras.backend.backend() != "torch":
    raise ImportError(f"Keras must run on torch here; got {keras.backend.backend()!r}")


class MLP(keras.Model):
    def __init__(self, hidden_units, out_units):
        super().__init__()
        self.hidden = Dense(hidden_units, activation="relu")
        self.out = Dense(out_units)

    def call(self, X):
        return self.out(self.hidden(X))


class LeNet(keras.Sequential):
    def __init__(self):
        super().__init__(
            [
                *(Conv2D(6, 5, padding="same", activation="sigmoid"), AveragePooling2D(2)),
                *(Conv2D(16, 5, activation="sigmoid"), AveragePooling2D(2)),
                *(Flatten(), Dense(120, activation="sigmoid"), Dense(84, activation="sigmoid")),
                Dense(10),
            ]
        )


class stack(keras.Model):
    def __init__(self, depth, units):
        super().__init__()
        self.blocks = [Dense(units) for _ in range(depth)]

    def call(self, X):
        for block in self.blocks:
            X = block(X)
        return X
