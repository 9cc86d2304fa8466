"""Training steps of Keras on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from unified_blocks.backend import PLAIN, Slot, TrainingStep
from unified_blocks.errors import UnsupportedError
from unified_blocks.training.data.batches import mapped
from unified_blocks.training.learning.accumulation import lengths, parts
from unified_blocks.training.learning.groups import settings_of
from unified_blocks.training.losses import apply_loss
from unified_blocks_tensorflow.averages import Averages
from unified_blocks_tensorflow.bind import placed
from unified_blocks_tensorflow.clipping import clipped
from unified_blocks_tensorflow.graphs import GRAPH_KINDS
from unified_blocks_tensorflow.learning import called, loss_function
from unified_blocks_tensorflow.optimizers import KEPT, make_optimizer
from unified_blocks_tensorflow.policies import is_mixed, widened
from unified_blocks_tensorflow.precision import Scaled, check_precision
from unified_blocks_tensorflow.replicas import in_every_replica, scope_of, strategy_that_made
from unified_blocks_tensorflow.variables import layers_of, walk
from unified_blocks_tensorflow.weighted import weighted_loss

AT_ONCE = 16
"""How many steps to run before Python, and with it Ctrl-C, has its turn."""

LOSS = tf.float64
"""What the losses of several steps are fetched in: it holds all others."""


def spec_of(data: Any) -> Any:
    """What a graph is to expect: of a tensor, or of each tensor of a structure."""
    if isinstance(data, tf.Tensor):
        return tf.TensorSpec(data.shape, data.dtype)
    return mapped(spec_of, data)


def key_of(spec: Any) -> Any:
    """A specification as a key of a dictionary."""
    if isinstance(spec, dict):
        return tuple((name, key_of(each)) for name, each in spec.items())
    if isinstance(spec, (tuple, list)):
        return (type(spec), *map(key_of, spec))
    return spec


def given(x: Any, y: Any, w: Any, rate: Any = None) -> list[Any]:
    """What there is of a batch, as tensors, and the learning rate, if there is one, after it."""
    batch = [
        mapped(tf.convert_to_tensor, each)
        if isinstance(each, (tuple, list, dict))
        else tf.convert_to_tensor(each)
        for each in (x, y, w)
        if each is not None
    ]
    return batch if rate is None else [*batch, tf.constant(rate, tf.float32)]


class TensorFlowTrainingStep(TrainingStep):
    """See `TrainingStep`. One graph for each shape of batch, as `keras.Model.fit` makes.

    And one for each choice of parameters that are frozen after it was made. Of a model that was
    made in the scope of a strategy each replica takes the step, on the whole batch of its worker.
    """

    kinds = tuple(GRAPH_KINDS)
    takes: ClassVar = frozenset(
        {
            *("watched", "accumulate", "scheduled", "weighted"),
            *("clip", "groups", "average", "precision"),
        }
    )

    def __init__(self, net, optimizer, loss, options=PLAIN):
        super().__init__(options)
        self.net, self.optimizer, self.loss = net, optimizer.rounded(), loss_function(loss)
        self.named = loss
        if options.weighted:
            self.loss = weighted_loss(loss)
        mixed = [layer for _, layer in layers_of(net) if is_mixed(layer)]
        check_precision(net, mixed, options.precision)
        self.widen = widened if mixed else lambda output: output
        self.parts: dict[int, list[Any]] = {}
        for v in walk(net):
            self.parts.setdefault(id(v.handle), []).append(v)
        self.variables = [self.parts[id(parameter)][0] for parameter in net.trainable_variables]
        self.strategy = strategy_that_made(net, self.variables)
        half = options.precision == "float16"
        if half and self.strategy is not None:
            raise UnsupportedError(
                "Trainer: with a strategy the loss must not be scaled; got precision='float16' and "
                f"a {type(self.strategy).__name__}: train in bfloat16"
            )
        with placed(net), scope_of(self.strategy):
            self.native = make_optimizer(optimizer, self.free)
            handles = [v.handle for v in self.variables]
            self.native.build(handles)
            self.scaled = Scaled(net, self.native, handles) if half else None
        names = [[part.name for part in self.parts[id(v.handle)]] for v in self.variables]
        frozen = [v.name for v in walk(net) if not v.trainable]
        if options.groups:
            self.native.settings = settings_of(names, options.groups, optimizer, frozen)
        if options.average is not None:
            decay = float(np.float32(options.average))
            with scope_of(self.strategy):
                self.kept_averages = Averages(net, self.variables, self.parts, decay)
        self.graphs: dict[Any, Callable[..., Any]] = {}
        self.kind = self.kinds[0]

    def weigh(self):
        super().weigh()
        self.loss = weighted_loss(self.named)
        self.graphs.clear()  # they have a loss without weights

    def use(self, kind):
        self.kind = kind

    @property
    def traces(self):
        return sum(kind == self.kind for kind, *_ in self.graphs)

    @property
    def count(self):
        return int(self.native.iterations.numpy())

    def __call__(self, x, y=None, w=None, rate=None):
        if self.options is not PLAIN or w is not None or rate is not None:
            self.check_given(w, rate)
        with placed(self.net):  # around the call: a graph runs where it is called
            if self.options.accumulate > 1:
                return self.accumulated(parts((x, y, w), self.options.accumulate), rate)
            return self.update(x, y, w, rate)

    def running(self):
        return placed(self.net)

    def update(self, x, y, w=None, rate=None):
        batch = given(x, y, w, rate)
        return self.graph(self.one, *map(spec_of, batch))(*batch)

    hooked = update  # the graph that is made has the hooks in it

    def accumulated(self, batches, rate=None):
        if len(batches) == 1:
            ((x, y, w),) = batches
            return self.update(x, y, w, rate)
        data = [given(*batch) for batch in batches]
        rates = [] if rate is None else [tf.constant(rate, tf.float32)]
        return self.graph(self.summed, *map(spec_of, (*data, *rates)))(*data, *rates)

    def epoch(self, x, y, order, batch_size, w=None, rates=None):
        self.check_given(w, rates)
        many, samples = self.options.accumulate, len(order)
        size = many * batch_size
        if self.strategy is not None:  # a loop in a graph cannot wait for the other replicas
            return self.fetched(list(self.one_by_one(x, y, order, batch_size, w, rates)))
        whole = samples - samples % size
        batches, rest = order[:whole].reshape(-1, size), order[whole:]
        if many > 1:
            batches = batches.reshape(-1, many, batch_size)
        starts = range(0, len(batches), AT_ONCE)
        groups = [(batches[i : i + AT_ONCE], i) for i in starts]
        if len(rest) and many == 1:
            groups.append((rest[None], len(batches)))
        losses = []
        with placed(self.net):
            with tf.device(self.variables[0].handle.value.device):
                data = mapped(tf.identity, given(x, y, w))
            for rows, start in groups:
                some = [tf.constant(rows, tf.int64)]
                if rates is not None:
                    some.append(tf.constant(rates[start : start + len(rows)], tf.float32))
                specs = [tf.TensorSpec((None, *each.shape[1:]), each.dtype) for each in some]
                graph = self.graph(self.several, specs, *map(spec_of, data))
                losses.append(graph(some, *data))
            if len(rest) and many > 1:
                pieces = [rest[i : i + batch_size] for i in range(0, len(rest), batch_size)]
                last = [self.whole(self.gather(data, rows)) for rows in pieces]
                value = self.accumulated(last, None if rates is None else rates[-1])
                losses.append(tf.cast(value, LOSS)[None])
            return tf.concat(losses, 0).numpy()

    def one_by_one(self, x, y, order, batch_size, w, rates):
        """The updates of an epoch, each a call of a graph."""
        rate, size = iter(() if rates is None else rates), self.options.accumulate * batch_size
        with placed(self.net):
            data = given(x, y, w)
            for i in range(0, len(order), size):
                some = order[i : i + size]
                pieces = [some[j : j + batch_size] for j in range(0, len(some), batch_size)]
                batches = [self.whole(self.gather(data, rows)) for rows in pieces]
                yield self.accumulated(batches, next(rate, None))

    def whole(self, batch):
        """What there is of a batch in its three places: inputs, targets and weights."""
        w = batch[-1] if self.options.weighted else None
        y = batch[1] if len(batch) > 1 + self.options.weighted else None
        return batch[0], y, w

    def one(self, trainable, *batch):
        """A step, in a graph, on what is `given`."""
        rate = batch[-1] if self.options.scheduled else None
        return self.taken(trainable, [batch[: len(batch) - self.options.scheduled]], rate)

    def summed(self, trainable, *batches):
        """A step, in a graph, on several batches, each of what is `given`."""
        rate = batches[-1] if self.options.scheduled else None
        return self.taken(trainable, batches[: len(batches) - self.options.scheduled], rate)

    def several(self, trainable, some, *data):
        """Steps, one after the other in a graph, on rows of `data`.

        Args:
            some: the rows (steps, batch), or (steps, batches, batch); and the rates (steps,).
        """

        def update(rows, rate=None):
            batches = [rows] if self.options.accumulate == 1 else tf.unstack(rows)
            gathered = [mapped(partial(tf.gather, indices=each), data) for each in batches]
            return tf.cast(self.taken(trainable, gathered, rate), LOSS)

        watched = len(self.options.watched)
        shape = tf.TensorSpec((1 + watched,), LOSS) if watched else LOSS
        return tf.map_fn(
            lambda each: update(*each), some, parallel_iterations=1, fn_output_signature=shape
        )

    def taken(self, trainable, batches, rate):
        """A step: gradients of one batch or of several, and the update."""
        trained = [v.handle for v, chosen in zip(self.variables, trainable, strict=True) if chosen]
        if rate is not None:
            self.native.learning_rate = rate
        if len(batches) == 1:
            value, seen, gradients = self.differentiated(trained, *self.whole(batches[0]))
        else:
            value, seen, gradients = self.mean(trained, [self.whole(batch) for batch in batches])
        if self.scaled is not None:
            gradients = self.scaled.unscaled(gradients)
        gradients = self.clipped(self.reduced(gradients))
        # Grappler lets an update overtake what reads the variable, when its gradient does not
        # depend on that: the loss, and the gradients of layers further down, came out wrong.
        with tf.control_dependencies([value, *(g for g in gradients if g is not None)]):
            if self.scaled is not None:
                self.scaled.apply(gradients, trained, self.after)
                return seen
            self.native.apply(gradients, trained)
        self.after()
        return seen

    def differentiated(self, trained, x, y, w):
        """The loss of a batch, what is seen of it, and its gradients."""
        with tf.GradientTape() as tape:
            output = self.widen(called(self.net, x, training=True))
            value = self.loss_of(output, y, w)
            target = value if self.scaled is None else self.scaled.loss(value)
        share = self.strategy and tf.ones_like(value) / self.strategy.num_replicas_in_sync
        gradients = tape.gradient(target, trained, output_gradients=share)  # Keras adds them up
        return value, self.seen(value, output, y, w), gradients

    def mean(self, trained, batches):
        """The same of several batches, one after the other, so that one needs memory at a time."""
        differentiated = tf.function(partial(self.differentiated, trained))  # traced once a shape
        total: Any = None
        sums: list[Any] = [None] * len(trained)
        before: list[Any] = []
        for batch, share in zip(batches, self.shares(batches), strict=True):
            as_tensor = tf.constant if isinstance(share, float) else tf.cast
            share_in = partial(as_tensor, share)
            with tf.control_dependencies(before):
                _, seen, gradients = differentiated(*batch)
                total = seen * share_in(seen.dtype) + (0 if total is None else total)
                for i, gradient in enumerate(gradients):
                    if gradient is not None:
                        part = tf.convert_to_tensor(gradient)
                        part *= share_in(part.dtype)
                        sums[i] = part if sums[i] is None else sums[i] + part
            before = [total, *(each for each in sums if each is not None)]
        return total, total, sums

    def shares(self, batches):
        """What each batch counts in the mean of all: `mⱼ / Σ mⱼ`."""
        if self.options.weighted:
            masses = [tf.reduce_sum(tf.cast(w, tf.float64)) for _, _, w in batches]
            return [tf.math.divide_no_nan(mass, tf.add_n(masses)) for mass in masses]
        counts = lengths(batches)
        return [count / sum(counts) for count in counts]

    def clipped(self, gradients):
        clip = self.options.clip
        if clip is None:
            return gradients
        if self.strategy is None:
            return clipped(gradients, clip)
        # What is clipped is the gradient of all replicas. Keras adds them up once more.
        given = [tf.convert_to_tensor(g) for g in gradients if g is not None]
        summed = iter(tf.distribute.get_replica_context().all_reduce("SUM", given))
        whole = clipped([None if g is None else next(summed) for g in gradients], clip)
        replicas = self.strategy.num_replicas_in_sync
        return [None if g is None else g / replicas for g in whole]

    def loss_of(self, output, y, w):
        return (
            self.loss(output, y, w) if self.options.weighted else apply_loss(self.loss, output, y)
        )

    def seen(self, value, output, y, w):
        """What a step returns: the loss, or a vector of it and of what is watched."""
        if not self.options.watched:
            return value
        watched = [function(output, y, w) for function in self.options.watched]
        return tf.stack([value, *(tf.cast(each, value.dtype) for each in watched)])

    def gather(self, data, rows):
        return [mapped(partial(tf.gather, indices=rows), each) for each in data]

    def fetched(self, values):
        return tf.cast(tf.stack(values), LOSS).numpy()

    def graph(self, function, *specs):
        """The graph of a method of this class, found faster than by calling a `tf.function`."""
        trainable = tuple(v.trainable for v in self.variables)
        key = (self.kind, function.__name__, trainable, *map(key_of, specs))
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
        ] + ([] if self.scaled is None else self.scaled.slots())

    def handles(self, ending):
        return [v for v in self.native.variables if v.name.endswith(ending)]

    def slot(self, v, name, handle):
        # Keras holds -lr v, in numbers that would have to change with the learning rate.
        held_with_rate = name == "velocity" and not self.free
        scale = -self.optimizer.learning_rate if held_with_rate else 1

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
