"""Training steps of Keras on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, ClassVar

import tensorflow as tf

from unified_blocks.backend import PLAIN, Slot, TrainingStep
from unified_blocks.training.data.batches import Layout, mapped, tensors_in
from unified_blocks.training.losses import apply_loss
from unified_blocks_tensorflow.bind import placed
from unified_blocks_tensorflow.graphs import GRAPH_KINDS
from unified_blocks_tensorflow.learning import called, loss_function
from unified_blocks_tensorflow.optimizers import KEPT, make_optimizer
from unified_blocks_tensorflow.policies import check_scaled, is_mixed, widened
from unified_blocks_tensorflow.replicas import in_every_replica, scope_of, strategy_that_made
from unified_blocks_tensorflow.variables import layers_of, walk
from unified_blocks_tensorflow.weighted import weighted_loss

AT_ONCE = 16
"""How many steps to run before Python, and with it Ctrl-C, has its turn."""

LOSS = tf.float64
"""What the losses of several steps are fetched in: it holds all others."""


NESTED = (tuple, list, dict)


def spec_of(tensor: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec(tensor.shape, tensor.dtype)


def in_line(x: Any, y: Any, w: Any) -> tuple[Layout | None, list[tf.Tensor]]:
    """A batch as tensors in a line, and its layout; None for that of `x`, or of `x` and `y`."""
    if w is None and not isinstance(x, NESTED) and not isinstance(y, NESTED):
        return None, [tf.convert_to_tensor(each) for each in (x, y) if each is not None]
    batch = mapped(tf.convert_to_tensor, (x, y, w))
    return Layout(batch), list(tensors_in(batch))


class TensorFlowTrainingStep(TrainingStep):
    """See `TrainingStep`. One graph for each shape of batch, as `keras.Model.fit` makes.

    And one for each choice of parameters that are frozen after it was made. Of a model that was
    made in the scope of a strategy each replica takes the step, on the whole batch of its worker.
    """

    kinds = tuple(GRAPH_KINDS)
    takes: ClassVar = frozenset({"watched", "weighted"})

    def __init__(self, net, optimizer, loss, options=PLAIN):
        super().__init__(options)
        self.net, self.optimizer = net, optimizer.rounded()
        self.named, self.loss = loss, loss_function(loss)
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

    def __call__(self, x, y=None, w=None):
        layout, batch = in_line(x, y, w)
        with placed(self.net):  # around the call: a graph runs where it is called
            return self.graph(self.one, layout, *map(spec_of, batch))(*batch)

    def running(self):
        return placed(self.net)

    def update(self, x, y, w=None, rate=None):
        layout, batch = in_line(x, y, w)
        return self.graph(self.one, layout, *map(spec_of, batch))(*batch)

    hooked = update  # the graph that is made has the hooks in it

    def epoch(self, x, y, order, batch_size, w=None, rates=None):
        self.check_given(rates)
        if self.strategy is not None:  # a loop in a graph cannot wait for the other replicas
            data = mapped(tf.convert_to_tensor, (x, y, w))
            batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
            return self.fetched([self(*self.gather(data, rows)) for rows in batches])
        whole = len(order) - len(order) % batch_size
        batches, rest = order[:whole].reshape(-1, batch_size), order[whole:]
        groups = [batches[i : i + AT_ONCE] for i in range(0, len(batches), AT_ONCE)]
        groups += [rest[None]] if len(rest) else []
        losses = []
        with placed(self.net):
            with tf.device(self.variables[0].handle.value.device):
                layout, given = in_line(x, y, w)
                data = [tf.identity(each) for each in given]
            for rows in groups:
                indices = tf.TensorSpec((None, rows.shape[1]), tf.int64)
                graph = self.graph(self.several, layout, indices, *map(spec_of, data))
                losses.append(graph(tf.constant(rows, tf.int64), *data))
            return tf.concat(losses, 0).numpy()

    def one(self, trainable, layout, *batch):
        """A step, in a graph, on a batch of this layout; see `in_line`."""
        x, y, w = layout.of(batch) if layout else (*batch, None, None)[:3]
        trained = [v.handle for v, chosen in zip(self.variables, trainable, strict=True) if chosen]
        with tf.GradientTape() as tape:
            output = self.widen(called(self.net, x, training=True))
            value = self.loss_of(output, y, w)
        share = self.strategy and tf.ones_like(value) / self.strategy.num_replicas_in_sync
        gradients = tape.gradient(value, trained, output_gradients=share)  # Keras adds them up
        gradients = self.clipped(self.reduced(gradients))
        # Grappler lets an update overtake what reads the variable, when its gradient does not
        # depend on that: the loss, and the gradients of layers further down, came out wrong.
        with tf.control_dependencies([value, *(g for g in gradients if g is not None)]):
            self.native.apply(gradients, trained)
        self.after()
        return self.seen(value, output, y, w)

    def several(self, trainable, layout, rows, *data):
        """Steps, one after the other in a graph, on the `rows` (steps, batch) of `x` and `y`."""

        def update(batch):
            return tf.cast(self.one(trainable, layout, *(tf.gather(a, batch) for a in data)), LOSS)

        watched = len(self.options.watched)
        given = tf.TensorSpec((1 + watched,), LOSS) if watched else LOSS
        return tf.map_fn(update, rows, parallel_iterations=1, fn_output_signature=given)

    def loss_of(self, output, y, w):
        return apply_loss(self.loss, output, y) if w is None else self.weighted(output, y, w)

    @cached_property
    def weighted(self):
        return weighted_loss(self.named)

    def seen(self, value, output, y, w):
        """What a step returns: the loss, or a vector of it and of what is watched."""
        if not self.options.watched:
            return value
        watched = [function(output, y, w) for function in self.options.watched]
        return tf.stack([value, *(tf.cast(each, value.dtype) for each in watched)])

    def gather(self, data, rows):
        return mapped(lambda a: tf.gather(a, rows), data)

    def fetched(self, values):
        return tf.cast(tf.stack(values), LOSS).numpy()

    def graph(self, function, layout, *specs):
        """The graph of a method of this class, found faster than by calling a `tf.function`."""
        trainable = tuple(v.trainable for v in self.variables)
        key = (self.kind, function.__name__, trainable, layout, *specs)
        if key not in self.graphs:
            by_xla = GRAPH_KINDS[self.kind] or None
            step = in_every_replica(self.strategy, partial(function, trainable, layout))
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

        def held():
            return v.numbers(handle.value.numpy()).astype(v.dtype)

        def hold(array):
            with placed(self.net):
                handle.assign(v.to_native(array, handle.value))

        return Slot(f"{v.name}.{name}", v.shape, v.dtype, read, write, scale, held, hold)

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
