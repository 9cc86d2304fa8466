"""What goes over the wire in an epoch of a training in several processes, counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def counted(framework: str, step: Any, epoch: Callable[[], Any], steps: int) -> dict[str, int]:
    """Bytes of an epoch of so many steps: `sent`, the gradients; `besides`, all else.

    They are those that this process gives the engine to be added up. The step is of no use
    afterwards.
    """
    return {"torch": of_torch, "tensorflow": of_tensorflow, "mxnet": of_mxnet}[framework](
        step, epoch, steps
    )


def of_torch(step, epoch, steps):
    from torch import distributed
    from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook

    found, whole = {"sent": 0, "besides": 0}, distributed.all_reduce

    def hook(group, bucket):
        found["sent"] += bucket.buffer().nbytes
        found["besides"] -= bucket.buffer().nbytes  # it calls the function below
        return allreduce_hook(group, bucket)

    def all_reduce(tensor, *given, **more):
        found["besides"] += tensor.nbytes
        return whole(tensor, *given, **more)

    step.wrapped.register_comm_hook(None, hook)
    distributed.all_reduce = all_reduce
    try:
        epoch()
    finally:
        distributed.all_reduce = whole
    return found


def of_mxnet(step, epoch, steps):
    found, store = {"sent": 0, "besides": 0}, step.group.store

    class Counting:
        init = store.init

        def pushpull(self, name, array, out):
            found["sent" if name.startswith("gradient") else "besides"] += (
                array.size * np.dtype(array.dtype).itemsize
            )
            store.pushpull(name, array, out=out)

    step.group.store = Counting()
    try:
        epoch()
    finally:
        step.group.store = store
    return found


def of_tensorflow(step, epoch, steps):
    """The collective operations in the one graph that each step is a call of."""
    epoch()
    (graph,) = step.graphs.values()
    operations = list(graph.graph.get_operations())
    for name in graph.graph._functions:
        operations += graph.graph._get_function(name).graph.get_operations()
    sent = 0
    for each in operations:
        if each.type.startswith("CollectiveReduce"):
            tensor = each.inputs[0]
            sent += tensor.shape.num_elements() * tensor.dtype.size
    return {"sent": steps * sent, "besides": 8 * steps}  # of losses, at the end
