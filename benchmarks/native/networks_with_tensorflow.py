"""Networks of images and sequences in Keras on TensorFlow, with channels at the end."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras.layers import (
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    LayerNormalization,
    MultiHeadAttention,
    ReLU,
)

from benchmarks.native.with_tensorflow import stack


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

    def adapt(self):
        """Take numbers that were made for another order of what was flattened: `(c, h, w)`."""
        kernel = self.layers[5].kernel
        rows = tf.reshape(kernel, (16, 6, 6, -1))
        kernel.assign(tf.reshape(tf.transpose(rows, (1, 2, 0, 3)), kernel.shape))


def conv(channels, size):
    return Conv2D(channels, size, padding="same", use_bias=False)


def norm():
    return BatchNormalization(momentum=0.9, epsilon=1e-5)


class Residual(keras.Model):
    def __init__(self, channels, deep):
        super().__init__()
        narrow = channels // 4
        layers = (
            (conv(narrow, 1), conv(narrow, 3), conv(channels, 1))
            if deep
            else (conv(channels, 3), conv(channels, 3))
        )
        normed = [part for each in layers for part in (each, norm(), ReLU())]
        self.body = stack(normed[:-1])

    def call(self, X, training=None):
        return tf.nn.relu(self.body(X, training=training) + X)


class Group(stack):
    def __init__(self, channels, blocks):
        super().__init__([Residual(channels, deep=False) for _ in range(blocks)])


class LSTM(keras.layers.LSTM):
    def __init__(self, units, in_units):
        super().__init__(units, return_sequences=True)


class GRU(keras.layers.GRU):
    def __init__(self, units, in_units):
        super().__init__(units, return_sequences=True)


class Encoder(keras.Model):
    def __init__(self, units, heads, hidden):
        super().__init__()
        self.attention = MultiHeadAttention(heads, units // heads)
        self.hidden, self.out = Dense(hidden, activation="relu"), Dense(units)
        self.norm1, self.norm2 = (LayerNormalization(epsilon=1e-5) for _ in range(2))

    def call(self, X):
        X = self.norm1(X + self.attention(X, X))
        return self.norm2(X + self.out(self.hidden(X)))


def resnet50():
    """That of Keras, with random numbers, and without its softmax."""
    return keras.applications.ResNet50(weights=None, classifier_activation=None)
