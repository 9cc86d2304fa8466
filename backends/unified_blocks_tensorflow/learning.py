"""Losses and training steps of Keras on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from unified_blocks.training.losses import apply_loss, check_alike, check_loss
from unified_blocks.training.optimizers import SGD, Adam, Optimizer
from unified_blocks_tensorflow.bind import placed


def cross_entropy(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y, tf.int64), output)
    return tf.reduce_mean(losses)


def mse(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    check_alike(output, y)
    return tf.reduce_mean(tf.square(output - y))


LOSSES: dict[str, Callable[..., tf.Tensor]] = {
    "sum": tf.reduce_sum,
    "mean": tf.reduce_mean,
    "mse": mse,
    "cross_entropy": cross_entropy,
}


def loss_function(loss: str | Callable[..., Any]) -> Callable[..., tf.Tensor]:
    return loss if callable(loss) else LOSSES[check_loss(loss)]


def make_optimizer(optimizer: Optimizer) -> keras.optimizers.Optimizer:
    """Keras' own optimizer, with the hyper-parameters that every backend uses."""
    match optimizer.rounded():
        case SGD(learning_rate, momentum):
            return keras.optimizers.SGD(learning_rate, momentum=momentum)
        case Adam(learning_rate, beta_1, beta_2, epsilon):
            return keras.optimizers.Adam(learning_rate, beta_1, beta_2, epsilon)
    raise TypeError(f"optimizer must be ub.SGD or ub.Adam; got {optimizer!r}")


def training_step(net, optimizer, loss):
    """See `Backend.training_step`. One graph for each shape of batch, as `keras.Model.fit`."""
    function, parameters = loss_function(loss), net.trainable_variables
    with placed(net):
        native = make_optimizer(optimizer)
        native.build(parameters)

    @tf.function
    def graph(x, y):
        with tf.GradientTape() as tape:
            value = apply_loss(function, net(x, training=True), y)
        native.apply(tape.gradient(value, parameters), parameters)
        return value

    def step(x, y):
        with placed(net):  # around the call: a graph runs where it is called
            return graph(x, y)

    return step
