"""The networks in Keras on TensorFlow."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial

import keras
import tensorflow as tf
from keras.layers import BatchNormalization, Dense, LayerNormalization

from benchmarks.native import MOMENTUM, RATE

inference = nullcontext


def compiled(net):
    """What calls a network as a graph."""
    return tf.function(lambda x: net(x))


def training_step(net, x, y, as_graph=False):
    """One step of training, as a function without arguments that gives the loss before it."""
    optimizer = keras.optimizers.SGD(RATE, momentum=MOMENTUM)
    optimizer.build(net.trainable_variables)

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(net(x, training=True) - y))
        parameters = net.trainable_variables
        gradients = tape.gradient(loss, parameters)
        optimizer.apply_gradients(zip(gradients, parameters, strict=True))
        return loss

    return partial(tf.function(step) if as_graph else step, x, y)


def layer(units, in_units):
    return Dense(units)


class stack(keras.Model):
    def __init__(self, layers):
        super().__init__()
        self.blocks = layers

    def call(self, X, training=None):  # without it `fit` runs the layers inside in inference
        for block in self.blocks:
            X = block(X)
        return X


class MLP(keras.Model):
    def __init__(self, hidden_units, out_units, in_units):
        super().__init__()
        self.hidden = Dense(hidden_units, activation="relu")
        self.out = Dense(out_units)

    def call(self, X):
        return self.out(self.hidden(X))


class MySequential(stack):
    def __init__(self, hidden_units, out_units, in_units):
        super().__init__([Dense(hidden_units, activation="relu"), Dense(out_units)])


class FixedHiddenMLP(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.rand_weight = self.add_weight(
            shape=(units, units), initializer="random_uniform", trainable=False
        )
        self.dense = Dense(units, activation="relu")

    def call(self, X):
        H = self.dense(X)
        H = tf.nn.relu(H @ self.rand_weight + 1)
        H = self.dense(H)
        while tf.reduce_sum(tf.abs(H)) > 1:
            H = H / 2
        return tf.reduce_sum(H)


class NestMLP(keras.Model):
    def __init__(self, in_units):
        super().__init__()
        self.net = keras.Sequential([Dense(64, activation="relu"), Dense(32, activation="relu")])
        self.dense = Dense(16, activation="relu")

    def call(self, X):
        return self.dense(self.net(X))


class MixerBlock(keras.Model):
    def __init__(self, tokens, channels, hidden):
        super().__init__()
        self.norm1, self.norm2 = (LayerNormalization(epsilon=1e-5) for _ in range(2))
        self.tokens = self.mlp(tokens, hidden)
        self.channels = self.mlp(channels, hidden)

    def mlp(self, units, hidden):
        return stack([Dense(hidden, activation="gelu"), Dense(units)])

    def call(self, X):
        mixed = self.tokens(tf.transpose(self.norm1(X), (0, 2, 1)))
        X = X + tf.transpose(mixed, (0, 2, 1))
        return X + self.channels(self.norm2(X))


class Highway(keras.Model):
    def __init__(self, units, depth):
        super().__init__()
        self.pairs = [
            (Dense(units, activation="tanh"), Dense(units, activation="sigmoid"))
            for _ in range(depth)
        ]

    def call(self, X):
        for transform, gate in self.pairs:
            T = gate(X)
            X = T * transform(X) + (1 - T) * X
        return X


class DeepSets(keras.Model):
    def __init__(self, units, hidden, in_units):
        super().__init__()
        self.phi = stack([Dense(hidden, activation="relu"), Dense(hidden, activation="relu")])
        self.rho = stack([BatchNormalization(momentum=0.9, epsilon=1e-5), Dense(units)])

    def call(self, X):
        return self.rho(tf.reduce_mean(self.phi(X), 1))


class BookMLP(keras.Model):
    """In the style of the book's chapter: the activation is an argument of the layer."""

    def __init__(self, hidden_units, out_units):
        super().__init__()
        self.hidden = Dense(units=hidden_units, activation=tf.nn.relu)
        self.out = Dense(units=out_units)

    def call(self, X):
        return self.out(self.hidden(X))


class BookSequential(keras.Model):
    """The chapter's own container: a list of blocks, called in turn."""

    def __init__(self, *blocks):
        super().__init__()
        self.blocks = list(blocks)

    def call(self, X):
        for block in self.blocks:
            X = block(X)
        return X


def book_layer(units):
    return Dense(units)
