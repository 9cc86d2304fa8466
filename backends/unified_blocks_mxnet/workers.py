"""The processes with which MXNet trains one model, by its key-value store `dist_sync`."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from unified_blocks.backend import Group
from unified_blocks.backend.devices import device_meant
from unified_blocks.backend.registry import get_backend
from unified_blocks.errors import UnsupportedError
from unified_blocks.training.workers.shares import Sharing
from unified_blocks_mxnet.compat import mx, numpy_semantics
from unified_blocks_mxnet.devices import MXNetDevices
from unified_blocks_mxnet.steps import MXNetTrainingStep
from unified_blocks_mxnet.variables import walk

PARTS = 3
"""How many float32 a float64 is sent as: its 53 bits are in 3 times 24."""


class MXNetGroup(Group):
    """The workers of a key-value store, which adds up what each pushes."""

    def __init__(self) -> None:
        self.store = mx.kv.create("dist_sync")
        self.rank, self.processes = self.store.rank, self.store.num_workers
        self.size, self.mine = self.processes, range(self.rank, self.rank + 1)
        self.host = socket.gethostname()
        self.meeting = os.environ.get("DMLC_PS_ROOT_URI", self.meeting)
        self.steps = itertools.count()
        self.known: set[str] = set()

    def added(self, name: str, array: Any) -> Any:
        """The sum of an MXNet array over all workers, which give it the same name.

        The store computes in float32. So a float64 goes there as three float32, each worker's in
        a row of its own, to which all others add 0; the rows are added here.
        """
        if array.dtype != np.float64:
            self.push(name, array)
            return array
        rows, rest = [], array.reshape(-1)  # MXNet cuts out of five dimensions at most
        for _ in range(PARTS):
            rows.append(rest.astype("float32"))
            rest = rest - rows[-1].astype("float64")
        shape = (self.processes, PARTS, array.size)
        sent = mx.np.zeros(shape, dtype="float32", ctx=array.ctx)
        sent[self.rank] = mx.np.stack(rows)
        self.push(name, sent)
        return sent.astype("float64").sum(axis=(0, 1)).reshape(array.shape)

    def push(self, name, array):
        if name not in self.known:
            self.known.add(name)
            self.store.init(name, mx.np.zeros_like(array))
        self.store.pushpull(name, array, out=array)

    def sum(self, array):
        array = np.asarray(array, "float64")
        with numpy_semantics():
            given = mx.np.array(array.reshape(-1), dtype="float64", ctx=mx.cpu())
            return self.added(f"sum.{array.size}", given).asnumpy().reshape(array.shape)

    def agree(self, net):
        self.agree_on(walk(net))

    def close(self):
        """The store ends with the process: its server waits for that."""


JOINED: list[MXNetGroup] = []
"""The group of this process, if it is in one: MXNet has one store for each."""


def join(how: Any) -> Group | None:
    """See `Backend.join`."""
    if isinstance(how, Sequence) and not isinstance(how, str):
        backend: Any = get_backend("mxnet")
        return MXNetDevices([backend.native_device(device_meant(name)) for name in how])
    if how not in ("auto", None):
        raise UnsupportedError(
            "distributed must be 'auto', a list of devices or None on MXNet; got "
            f"distributed={how!r}: start a scheduler, servers and workers with DMLC_ROLE in their "
            "environments, or list devices, ['gpu:0', 'gpu:1']"
        )
    if how is None or os.environ.get("DMLC_ROLE") != "worker":
        return None
    if not JOINED:
        JOINED.append(MXNetGroup())
    return JOINED[0]


class MXNetSharedStep(Sharing, MXNetTrainingStep):
    """See `Sharing`. The store adds up gradients, and each worker updates its own parameters."""

    takes: ClassVar = MXNetTrainingStep.takes | {"group"}

    def __init__(self, net, optimizer, loss, options):
        super().__init__(net, optimizer, loss, options)
        self.number = next(self.group.steps)  # the same on all workers

    def reduced(self, gradients):
        name = f"gradient.{self.number}"
        return [
            None if gradient is None else self.group.added(f"{name}.{i}", gradient)
            for i, gradient in enumerate(gradients)
        ]

    def over_all(self, value):
        name = f"loss.{self.number}"
        return self.group.added(name, value.detach().reshape(-1)).reshape(value.shape)
