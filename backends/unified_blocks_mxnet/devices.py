"""Several contexts of one process, on which MXNet trains one model."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from unified_blocks.backend import Group
from unified_blocks.training.data.batches import mapped
from unified_blocks.training.workers.shares import Sharing
from unified_blocks_mxnet.clipping import in_whole
from unified_blocks_mxnet.compat import mx
from unified_blocks_mxnet.semantics import semantics_of
from unified_blocks_mxnet.steps import MXNetTrainingStep
from unified_blocks_mxnet.variables import walk


class MXNetDevices(Group):
    """The contexts of this process, each of which has the numbers of the model.

    A key-value store of the kind `device` adds up what they compute.
    """

    rank, processes = 0, 1

    def __init__(self, contexts: Sequence[mx.Context]) -> None:
        self.contexts = list(contexts)
        self.size, self.mine = len(self.contexts), range(len(self.contexts))
        self.host = socket.gethostname()
        self.store = mx.kv.create("device")
        self.steps = itertools.count()
        self.known: set[str] = set()

    def added(self, name: str, arrays: Sequence[Any]) -> Any:
        """The sum of one array of each context: in the first of them."""
        given = [in_whole(array) for array in arrays]
        if name not in self.known:
            self.known.add(name)
            self.store.init(name, mx.np.zeros_like(given[0]))
        self.store.pushpull(name, given, out=given[:1])
        return given[0]

    def sum(self, array):
        return np.array(array, "float64")

    def agree(self, net):
        """Give each context the numbers of the first, and the model to all of them."""
        with semantics_of(net).scope():
            for v in walk(net):
                if v.contexts() != self.contexts:
                    v.parameter.reset_ctx(self.contexts)
                shared_out(v.parameter)

    def close(self):
        """The model stays on its contexts, as Gluon's own would."""


def shared_out(parameter: mx.gluon.Parameter) -> None:
    """Give the numbers of a parameter in its first context to the others."""
    first, *others = parameter.list_data()
    for other in others:
        first.copyto(other)


def moved(batch: Sequence[Any], context: mx.Context) -> list[Any]:
    """A batch in another context."""

    def to_it(array: Any) -> Any:
        return array.as_in_ctx(context)

    return [mapped(to_it, each) for each in batch]


def devices_of(net: Any) -> MXNetDevices | None:
    """The contexts that a model is on, when there are several."""
    contexts = next((v.contexts() for v in walk(net)), None) or []
    return MXNetDevices(contexts) if len(contexts) > 1 else None


class MXNetDevicesStep(Sharing, MXNetTrainingStep):
    """See `Sharing`. Each context computes a share; one of them updates the parameters of all."""

    takes: ClassVar = MXNetTrainingStep.takes | {"group"}
    store = None  # Gluon's trainer is to add up nothing

    def __init__(self, net, optimizer, loss, options):
        self.number = next(options.group.steps)
        super().__init__(net, optimizer, loss, options)

    def computed(self, batches, masses, total, rate):
        self.masses = masses, total
        return super(Sharing, self).accumulated(batches, rate)

    def gradients(self, batches, place=0):
        """What is seen of the batches, and the gradients of all contexts."""
        masses, total = self.masses
        dealt = [self.pieces(batch, own) for batch, own in zip(batches, masses, strict=True)]
        values, found = [], []
        for place, context in enumerate(self.group.contexts):
            self.take([own[place] for _, own in dealt], total)
            here = [moved(pieces[place], context) for pieces, _ in dealt]
            value, gradients = super().gradients(here, place)
            values.append(value.as_in_ctx(self.group.contexts[0]))
            found.append(gradients)
            for data, _ in self.arrays(place) if place else ():
                data._fresh_grad = False  # its copy is updated with the first one
        return sum(values), [self.added(i, each) for i, each in enumerate(zip(*found, strict=True))]

    def added(self, i, gradients):
        """The sum of the gradients of a parameter, of which some contexts may have none."""
        if all(each is None for each in gradients):
            return None
        return self.group.added(
            f"{self.number}.{i}",
            [
                mx.np.zeros_like(in_whole(self.arrays(place)[i][1])) if each is None else each
                for place, each in enumerate(gradients)
            ],
        )

    def after(self):
        for v in self.variables:
            shared_out(v.parameter)
        super().after()

    def over_all(self, value):
        return value
