"""Losses and training steps of Keras on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from unified_blocks import ops
from unified_blocks.backend import Slot, TrainingStep
from unified_blocks.training.losses import apply_loss, check_alike, check_loss
from unified_blocks_tensorflow.bind import placed
from unified_blocks_tensorflow.graphs import GRAPH_KINDS
from unified_blocks_tensorflow.optimizers import KEPT, make_optimizer
from unified_blocks_tensorflow.policies import check_scaled, is_mixed, widened
from unified_blocks_tensorflow.replicas import in_every_replica, scope_of, strategy_that_made
from unified_blocks_tensorflow.variables import layers_of, walk

AT_ONCE = 16
"""How many steps to run before Python, and with it Ctrl-C, has its turn."""

LOSS = tf.float64
"""What the losses of several steps are fetched in: it holds all others."""


def cross_entropy(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y, tf.int64), output)
    return tf.reduce_mean(losses)


def mse(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    check_alike("mse", output, y)
    return tf.reduce_mean(tf.square(output - y))


def l1(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    check_alike("l1", output, y)
    return tf.reduce_mean(tf.abs(output - y))


def huber(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    check_alike("huber", output, y)
    return ops.huber(output, y)


def binary_cross_entropy(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    check_alike("binary_cross_entropy", output, y)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=output)
    return tf.reduce_mean(losses)


LOSSES: dict[str, Callable[..., tf.Tensor]] = {
    "sum": tf.reduce_sum,
    "mean": tf.reduce_mean,
    "mse": mse,
    "cross_entropy": cross_entropy,
    "l1": l1,
    "huber": huber,
    "binary_cross_entropy": binary_cross_entropy,
}


def loss_function(loss: str | Callable[..., Any]) -> Callable[..., tf.Tensor]:
    return loss if callable(loss) else LOSSES[check_loss(loss)]


def spec_of(tensor: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec(tensor.shape, tensor.dtype)


class TensorFlowTrainingStep(TrainingStep):
    """See `TrainingStep`. One graph for each shape of batch, as `keras.Model.fit` makes.

    And one for each choice of parameters that are frozen after it was made. Of a model that was
    made in the scope of a strategy each replica takes the step, on the whole batch of its worker.
    """

    kinds = tuple(GRAPH_KINDS)

    def __init__(self, net, optimizer, loss):
        self.net, self.optimizer, self.loss = net, optimizer.rounded(), loss_function(loss)
        mixed = [layer for _, layer in layers_of(net) if is_mixed(layer)]
        check_scaled(net, mixed)
        self.widen = widened if mixed else lambda output: output
        self.parts: dict[int, list[Any]] = {}
        for v in walk(net):
            self.parts.setdefault(id(v.handle), []).append(v)
        self.variables = [self.parts[id(parameter)][0] for parameter in net.trainable_variables]
        self.strategy = strategy_that_made(net, self.variables)
        with placed(net), scope_of(self.strategy):
            self.native = make_optimizer(optimizer)
            self.native.build([v.handle for v in self.variables])
        self.graphs: dict[Any, Callable[..., Any]] = {}
        self.kind = self.kinds[0]

    def use(self, kind):
        self.kind = kind

    @property
    def traces(self):
        return sum(kind == self.kind for kind, *_ in self.graphs)

    @property
    def count(self):
        return int(self.native.iterations.numpy())

    def __call__(self, x, y=None):
        batch = [tf.convert_to_tensor(each) for each in (x, y) if each is not None]
        with placed(self.net):  # around the call: a graph runs where it is called
            return self.graph(self.update, *map(spec_of, batch))(*batch)

    def epoch(self, x, y, order, batch_size):
        if self.strategy is not None:  # a loop in a graph cannot wait for the other replicas
            data = [tf.convert_to_tensor(each) for each in (x, y) if each is not None]
            batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
            losses = [self(*(tf.gather(each, rows) for each in data)) for rows in batches]
            return np.array(losses, LOSS.as_numpy_dtype)
        whole = len(order) - len(order) % batch_size
        batches, rest = order[:whole].reshape(-1, batch_size), order[whole:]
        groups = [batches[i : i + AT_ONCE] for i in range(0, len(batches), AT_ONCE)]
        groups += [rest[None]] if len(rest) else []
        losses = []
        with placed(self.net):
            with tf.device(self.variables[0].handle.value.device):
                data = [tf.identity(each) for each in (x, y) if each is not None]
            for rows in groups:
                indices = tf.TensorSpec((None, rows.shape[1]), tf.int64)
                graph = self.graph(self.updates, indices, *map(spec_of, data))
                losses.append(graph(tf.constant(rows, tf.int64), *data))
            return tf.concat(losses, 0).numpy()

    def update(self, trainable, x, y=None):
        """A step, in a graph."""
        trained = [v.handle for v, chosen in zip(self.variables, trainable, strict=True) if chosen]
        with tf.GradientTape() as tape:
            value = apply_loss(self.loss, self.widen(self.net(x, training=True)), y)
        share = self.strategy and tf.ones_like(value) / self.strategy.num_replicas_in_sync
        gradients = tape.gradient(value, trained, output_gradients=share)  # Keras adds them up
        # Grappler lets an update overtake what reads the variable, when its gradient does not
        # depend on that: the loss, and the gradients of layers further down, came out wrong.
        with tf.control_dependencies([value, *(g for g in gradients if g is not None)]):
            self.native.apply(gradients, trained)
        return value

    def updates(self, trainable, rows, *data):
        """Steps, one after the other in a graph, on the `rows` (steps, batch) of `x` and `y`."""

        def update(batch):
            return tf.cast(self.update(trainable, *(tf.gather(a, batch) for a in data)), LOSS)

        return tf.map_fn(update, rows, parallel_iterations=1, fn_output_signature=LOSS)

    def graph(self, function, *specs):
        """The graph of a method of this class, found faster than by calling a `tf.function`."""
        trainable = tuple(v.trainable for v in self.variables)
        key = (self.kind, function.__name__, trainable, *specs)
        if key not in self.graphs:
            by_xla = GRAPH_KINDS[self.kind] or None
            step = in_every_replica(self.strategy, partial(function, trainable))
            traced = tf.function(step, jit_compile=by_xla)
            self.graphs[key] = traced.get_concrete_function(*specs)
        return self.graphs[key]

    def slots(self):
        return [
            self.slot(part, name, handle)
            for name in self.optimizer.keeps
            for v, handle in zip(self.variables, self.handles(KEPT[name]), strict=True)
            for part in self.parts[id(v.handle)]
        ]

    def handles(self, ending):
        return [v for v in self.native.variables if v.name.endswith(ending)]

    def slot(self, v, name, handle):
        # Keras holds -lr v, in numbers that would have to change with the learning rate.
        scale = -self.optimizer.learning_rate if name == "velocity" else 1

        def read():
            return v.numbers(handle.value.numpy() / scale).astype(v.dtype)

        def write(array):
            with placed(self.net):
                handle.assign(v.to_native(array, handle.value / scale) * scale)

        return Slot(f"{v.name}.{name}", v.shape, v.dtype, read, write)

    def restart_at(self, count):
        with placed(self.net):
            self.native.iterations.assign(count)

    def set_learning_rate(self, learning_rate):
        kept = [slot.read() for slot in self.slots()]
        self.optimizer = replace(self.optimizer, learning_rate=learning_rate)
        with placed(self.net):
            self.native.learning_rate = learning_rate
        for slot, array in zip(self.slots(), kept, strict=True):
            slot.write(array)
