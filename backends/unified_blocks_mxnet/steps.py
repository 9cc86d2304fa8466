"""Training steps of Gluon on MXNet."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from unified_blocks.backend import EAGER, PLAIN, Slot, TrainingStep
from unified_blocks.training.data.batches import mapped, tensors_in
from unified_blocks.training.learning.accumulation import lengths, parts
from unified_blocks.training.learning.groups import settings_of
from unified_blocks.training.losses import apply_loss
from unified_blocks_mxnet.averages import Averages
from unified_blocks_mxnet.clipping import clipped
from unified_blocks_mxnet.compat import mx, numpy_semantics
from unified_blocks_mxnet.graphs import GRAPH_KINDS, MXNetGraph
from unified_blocks_mxnet.learning import LONG, applied, caller, in_graphs, loss_function
from unified_blocks_mxnet.optimizers import make_optimizer
from unified_blocks_mxnet.semantics import kind_of
from unified_blocks_mxnet.variables import walk
from unified_blocks_mxnet.weighted import weighted_loss

AT_ONCE = 16
"""How many batches are gathered at once."""


def cut(data, start, stop):
    """These rows of an array, or of each array of a structure."""
    if isinstance(data, mx.np.ndarray):
        return data[start:stop]
    return mapped(lambda a: a[start:stop], data)


class MXNetTrainingStep(TrainingStep):
    """See `TrainingStep`. Batches go through `call`: the model, or what computes the same."""

    count = 0
    gathers = AT_ONCE  # to send rows to the device waits for it, and a part of an array is no copy
    kinds = (EAGER, *GRAPH_KINDS)
    store: ClassVar[str | None] = (
        "device"  # where Gluon's trainer adds up what several contexts have
    )
    takes: ClassVar = frozenset(
        {"watched", "accumulate", "scheduled", "weighted", "clip", "groups", "average"}
    )

    def __init__(self, net, optimizer, loss, options=PLAIN):
        super().__init__(options)
        self.net, self.optimizer = net, optimizer.rounded()
        self.call = caller(net)
        self.ways = {EAGER: self.call}
        self.named = loss
        if options.weighted:
            self.loss = weighted_loss(loss)
        else:
            self.loss = in_graphs(loss) if loss in LONG else loss_function(loss)
        self.variables = [v for v in walk(net) if v.trainable]
        self.adding = [i for i, v in enumerate(self.variables) if v.parameter.grad_req == "add"]
        names = [[v.name] for v in self.variables]
        frozen = [v.name for v in walk(net) if not v.trainable]
        self.settings = settings_of(names, options.groups, optimizer, frozen)
        self.restart_at(0)
        if options.average is not None:
            self.kept_averages = Averages(self.variables, float(np.float32(options.average)))

    def weigh(self):
        super().weigh()
        self.loss = weighted_loss(self.named)

    def use(self, kind):
        if kind not in self.ways:
            self.ways[kind] = MXNetGraph(self.net, kind)
        self.call = self.ways[kind]

    @property
    def traces(self):
        return getattr(self.call, "traces", 0)

    def __call__(self, x, y, w=None, rate=None):
        if self.options is not PLAIN or w is not None or rate is not None:
            self.check_given(w, rate)
        with numpy_semantics():
            if self.options.accumulate > 1:
                return self.accumulated(parts((x, y, w), self.options.accumulate), rate)
            return self.update(x, y, w, rate)

    def running(self):
        return numpy_semantics()

    def epoch(self, x, y, order, batch_size, w=None, rates=None):
        self.check_given(w, rates)
        data, values, many = (x, y, w), [], self.options.accumulate
        rate = iter(() if rates is None else rates.tolist())
        with numpy_semantics():
            rows = mx.np.array(order, dtype="int64", ctx=next(tensors_in(x)).ctx)
            at_once = AT_ONCE * many * batch_size
            for i in range(0, len(order), at_once):
                # Some batches are gathered together, for a part of an array is no copy.
                some = rows[i : i + at_once]
                gathered = self.gather(data, some)
                batches = [
                    [cut(a, j, j + batch_size) for a in gathered]
                    for j in range(0, len(some), batch_size)
                ]
                if many == 1:
                    values += [self.update(x, y, w, next(rate, None)) for x, y, w in batches]
                else:
                    values += [
                        self.accumulated(batches[k : k + many], next(rate, None))
                        for k in range(0, len(batches), many)
                    ]
            return self.fetched(values)

    def update(self, x, y, w=None, rate=None):
        if self.adding:
            self.empty(self.arrays())
        with mx.autograd.record():
            output = applied(self.call, x, self.net)
            value = apply_loss(self.loss, output, y)
        value.backward()
        seen = self.seen(value, output, y, w)
        # The loss is a mean already; a parameter that it does not depend on stays.
        self.trainer.step(1, ignore_stale_grad=True)
        self.count += 1
        return seen

    def hooked(self, x, y, w=None, rate=None):
        return self.accumulated([(x, y, w)], rate)

    def accumulated(self, batches, rate=None):
        if rate is not None:
            self.trainer.set_learning_rate(rate)
        seen, gradients = self.gradients(batches)
        gradients = self.clipped(self.reduced(gradients))
        for (data, buffer), gradient in zip(self.arrays(), gradients, strict=True):
            if gradient is not None and gradient is not buffer:
                buffer[:] = kind_of(buffer).taken(gradient)
            data._fresh_grad = gradient is not None
        self.trainer.step(1, ignore_stale_grad=True)
        self.count += 1
        self.after()
        return seen

    def arrays(self, place=0):
        """The parameters and their gradients, in one of the contexts of the model."""
        return [
            (v.parameter.list_data()[place], v.parameter.list_grad()[place]) for v in self.variables
        ]

    def empty(self, arrays):
        """Put to 0 the gradients to which MXNet adds: each update has its own."""
        for i in self.adding:
            mx.nd.zeros_like(arrays[i][1], out=arrays[i][1])

    def gradients(self, batches, place=0):
        """What is seen of the batches, which are in a context of the model, and their gradients."""
        arrays = self.arrays(place)
        if len(batches) > 1:
            return self.summed(batches, arrays)
        self.empty(arrays)
        seen = self.differentiated(*batches[0])
        return seen, [buffer if data._fresh_grad else None for data, buffer in arrays]

    def summed(self, batches, arrays):
        """What is seen of several batches, and their gradients, each times its share.

        They are added up here, and not in the buffers by `grad_req="add"`, for these belong to the
        model.
        """
        seen, gradients = 0, [None] * len(arrays)
        for (x, y, w), share in zip(batches, self.shares(batches), strict=True):
            self.empty(arrays)
            seen = seen + self.differentiated(x, y, w, share)
            for i, (data, buffer) in enumerate(arrays):
                if data._fresh_grad:
                    data._fresh_grad = False
                    before = gradients[i]
                    gradients[i] = buffer.copy() if before is None else before + buffer
        return seen, gradients

    def shares(self, batches):
        """What each batch counts in the mean of all: `mⱼ / Σ mⱼ`."""
        if self.options.weighted:
            masses = mx.np.stack([w.astype("float64").sum() for _, _, w in batches])
            total = masses.sum()
            return masses / (total + (total == 0))
        counts = lengths(batches)
        return [count / sum(counts) for count in counts]

    def differentiated(self, x, y, w, share=None):
        """Find the gradients of a batch, times its share if there is one; and what is seen."""
        with mx.autograd.record():
            output = applied(self.call, x, self.net)
            value = self.loss_of(output, y, w)
            if share is not None and self.options.weighted:
                share = share.astype(value.dtype)
            head = value if share is None else value * share
        head.backward()
        seen = self.seen(value, output, y, w)
        return seen if share is None else seen * share

    def clipped(self, gradients):
        clip = self.options.clip
        return gradients if clip is None else clipped(gradients, clip)

    def loss_of(self, output, y, w):
        return (
            self.loss(output, y, w) if self.options.weighted else apply_loss(self.loss, output, y)
        )

    def seen(self, value, output, y, w):
        """What a step returns: the loss, or a vector of it and of what is watched."""
        if not self.options.watched:
            return value
        watched = [function(output, y, w) for function in self.options.watched]
        watched = [
            each if each.dtype == value.dtype else each.astype(value.dtype) for each in watched
        ]
        return mx.np.stack([value, *watched])

    def gather(self, data, rows):
        def taken(a):
            where = rows
            if not isinstance(rows, mx.np.ndarray):
                where = mx.np.array(rows, dtype="int64", ctx=a.ctx)
            return mx.np.take(a, where, axis=0)

        return [taken(a) if isinstance(a, mx.np.ndarray) else mapped(taken, a) for a in data]

    def fetched(self, values):
        with numpy_semantics():
            return mx.np.stack(values).asnumpy().astype("float64")

    def restart_at(self, count):
        self.count = count
        with numpy_semantics():
            self.native = make_optimizer(self.optimizer, count, self.free)
            self.native.settings = dict(enumerate(self.settings))
            trained = [v.parameter for v in self.variables]
            self.trainer = mx.gluon.Trainer(trained, self.native, kvstore=self.store)

    def slots(self):
        return [
            self.slot(v, index, place, name)
            for index, v in enumerate(self.variables)
            for place, name in enumerate(self.optimizer.keeps)
        ]

    def slot(self, v, index, place, name):
        # MXNet holds -lr v, in numbers that would have to change with the learning rate.
        held_with_rate = name == "velocity" and not self.free
        scale = -self.optimizer.learning_rate if held_with_rate else 1

        def read():
            found = self.native.read(index, place)
            return np.zeros(v.shape, v.dtype) if found is None else (found / scale).astype(v.dtype)

        def write(array):
            self.native.write(index, place, (array * scale).astype(v.dtype))

        def held():
            found = self.native.read(index, place)
            return np.zeros(v.shape, v.dtype) if found is None else found.astype(v.dtype)

        def hold(array):
            self.native.write(index, place, array)

        return Slot(f"{v.name}.{name}", v.shape, v.dtype, read, write, scale, held, hold)

    def set_learning_rate(self, learning_rate):
        kept = [slot.read() for slot in self.slots()]
        self.optimizer = replace(self.optimizer, learning_rate=learning_rate)
        self.trainer.set_learning_rate(learning_rate)
        for slot, array in zip(self.slots(), kept, strict=True):
            slot.write(array)
