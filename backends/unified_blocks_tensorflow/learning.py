"""Losses and training steps of Keras on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from unified_blocks.training.losses import apply_loss, check_alike, check_loss
from unified_blocks.training.optimizers import SGD, Adam, Optimizer
from unified_blocks.training.step import Slot, TrainingStep
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


class TensorFlowTrainingStep(TrainingStep):
    """See `TrainingStep`. One graph for each shape of batch, as `keras.Model.fit` makes.

    And one for each choice of parameters that are frozen after it was made.
    """

    def __init__(self, net, variables, optimizer, loss):
        self.net, self.optimizer = net, optimizer.rounded()
        function, parameters = loss_function(loss), net.trainable_variables
        by_handle = {id(v.handle): v for v in variables}
        self.variables = [by_handle[id(parameter)] for parameter in parameters]
        with placed(net):
            self.native = native = make_optimizer(optimizer)
            native.build(parameters)

        @tf.function
        def graph(x, y, trainable):
            trained = [p for p, is_trained in zip(parameters, trainable, strict=True) if is_trained]
            with tf.GradientTape() as tape:
                value = apply_loss(function, net(x, training=True), y)
            gradients = tape.gradient(value, trained)
            # Grappler lets an update overtake what reads the variable, when its gradient does not
            # depend on that: the loss, and the gradients of layers further down, came out wrong.
            with tf.control_dependencies([value, *(g for g in gradients if g is not None)]):
                native.apply(gradients, trained)
            return value

        self.graph = graph

    def __call__(self, x, y):
        with placed(self.net):  # around the call: a graph runs where it is called
            return self.graph(x, y, tuple(v.trainable for v in self.variables))

    def kept(self):
        """How the names end of what Keras keeps of each parameter, by our name for it."""
        if isinstance(self.optimizer, Adam):
            return {"mean": "_momentum", "variance": "_velocity"}
        return {"velocity": "_momentum"} if self.optimizer.momentum else {}

    def handles(self, ending):
        return [v for v in self.native.variables if v.name.endswith(ending)]

    def slots(self):
        return [
            self.slot(v, name, handle)
            for name, ending in self.kept().items()
            for v, handle in zip(self.variables, self.handles(ending), strict=True)
        ]

    def slot(self, v, name, handle):
        # Keras holds -lr v, in numbers that would have to change with the learning rate.
        scale = -self.optimizer.learning_rate if name == "velocity" else 1

        def read():
            return v.to_canonical(handle.value.numpy() / scale).astype(v.dtype)

        def write(array):
            with placed(self.net):
                handle.assign(v.to_native(array) * scale)

        return Slot(f"{v.name}.{name}", v.shape, v.dtype, read, write)

    def restart_at(self, count):
        self.count = count
        with placed(self.net):
            self.native.iterations.assign(count)

    def set_learning_rate(self, learning_rate):
        kept = [slot.read() for slot in self.slots()]
        self.optimizer = replace(self.optimizer, learning_rate=learning_rate)
        with placed(self.net):
            self.native.learning_rate = learning_rate
        for slot, array in zip(self.slots(), kept, strict=True):
            slot.write(array)
