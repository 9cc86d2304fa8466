"""Training steps of Gluon on MXNet."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from operator import itemgetter
from typing import ClassVar

import numpy as np

from unified_blocks.backend import EAGER, PLAIN, Slot, TrainingStep
from unified_blocks.training.data.batches import first_of, mapped, mapper_of
from unified_blocks.training.losses import apply_loss
from unified_blocks_mxnet.compat import mx, numpy_semantics
from unified_blocks_mxnet.graphs import GRAPH_KINDS, MXNetGraph
from unified_blocks_mxnet.learning import LONG, applied, caller, in_graphs, loss_function
from unified_blocks_mxnet.optimizers import make_optimizer
from unified_blocks_mxnet.variables import walk
from unified_blocks_mxnet.weighted import weighted_loss

AT_ONCE = 16
"""How many batches are gathered at once."""


class MXNetTrainingStep(TrainingStep):
    """See `TrainingStep`. Batches go through `call`: the model, or what computes the same."""

    count = 0
    kinds = (EAGER, *GRAPH_KINDS)
    takes: ClassVar = frozenset({"watched", "weighted"})

    def __init__(self, net, optimizer, loss, options=PLAIN):
        super().__init__(options)
        self.net, self.optimizer = net, optimizer.rounded()
        self.call = caller(net)
        self.ways = {EAGER: self.call}
        self.named = loss
        self.loss = in_graphs(loss) if loss in LONG else loss_function(loss)
        self.variables = [v for v in walk(net) if v.trainable]
        self.restart_at(0)

    def use(self, kind):
        if kind not in self.ways:
            self.ways[kind] = MXNetGraph(self.net, kind)
        self.call = self.ways[kind]

    @property
    def traces(self):
        return getattr(self.call, "traces", 0)

    def __call__(self, x, y, w=None):
        with numpy_semantics():
            return self.update(x, y, w)

    def running(self):
        return numpy_semantics()

    def epoch(self, x, y, order, batch_size, w=None, rates=None):
        self.check_given(rates)
        data = (x, y) if w is None else (x, y, w)
        update, each, values = self.updating(rates), mapper_of(data), []
        with numpy_semantics():
            rows = mx.np.array(order, dtype="int64", ctx=first_of(x).ctx)
            for i in range(0, len(order), AT_ONCE * batch_size):
                # Some batches are gathered together, for a part of an array is no copy.
                some = rows[i : i + AT_ONCE * batch_size]
                gathered = each(partial(mx.np.take, indices=some, axis=0), data)
                for j in range(0, len(some), batch_size):
                    rows_of = itemgetter(slice(j, j + batch_size))
                    values.append(update(*each(rows_of, gathered)))
            return self.fetched(values)

    def update(self, x, y, w=None, rate=None):
        if w is not None:
            return self.hooked(x, y, w, rate)
        with mx.autograd.record():
            value = apply_loss(self.loss, applied(self.call, x, self.net), y)
        value.backward()
        # The loss is a mean already; a parameter that it does not depend on stays.
        self.trainer.step(1, ignore_stale_grad=True)
        self.count += 1
        return value

    def hooked(self, x, y, w=None, rate=None):
        with mx.autograd.record():
            output = applied(self.call, x, self.net)
            value = self.loss_of(output, y, w)
        value.backward()
        buffers = [v.parameter.list_grad()[0] for v in self.variables]
        gradients = self.clipped(self.reduced(buffers))
        for buffer, gradient in zip(buffers, gradients, strict=True):
            if gradient is not buffer:
                buffer[:] = gradient
        self.trainer.step(1, ignore_stale_grad=True)
        self.count += 1
        self.after()
        return self.seen(value, output, y, w)

    def loss_of(self, output, y, w):
        return apply_loss(self.loss, output, y) if w is None else self.weighted(output, y, w)

    @cached_property
    def weighted(self):
        return weighted_loss(self.named)

    def seen(self, value, output, y, w):
        """What a step returns: the loss, or a vector of it and of what is watched."""
        if not self.options.watched:
            return value
        watched = [function(output, y, w).astype(value.dtype) for function in self.options.watched]
        return mx.np.stack([value, *watched])

    def gather(self, data, rows):
        def taken(a):
            return mx.np.take(a, mx.np.array(rows, dtype="int64", ctx=a.ctx), axis=0)

        return mapped(taken, data)

    def fetched(self, values):
        with numpy_semantics():
            return mx.np.stack(values).asnumpy().astype("float64")

    def restart_at(self, count):
        self.count = count
        with numpy_semantics():
            self.native = make_optimizer(self.optimizer, count)
            self.trainer = mx.gluon.Trainer([v.parameter for v in self.variables], self.native)

    def slots(self):
        return [
            self.slot(v, index, place, name)
            for index, v in enumerate(self.variables)
            for place, name in enumerate(self.optimizer.keeps)
        ]

    def slot(self, v, index, place, name):
        # MXNet holds -lr v, in numbers that would have to change with the learning rate.
        scale = -self.optimizer.learning_rate if name == "velocity" else 1

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
