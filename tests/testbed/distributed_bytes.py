"""Counts what goes over the wire in an epoch: as JSON.

    python distributed_bytes.py BACKEND

`gradients` are the bytes of all gradients of a step, `sent` those that the engine adds up in the
epoch, `besides` what else is added up in it.
"""

import json
import sys

import numpy as np

import unified_blocks as ub

BACKEND = sys.argv[1]
ub.set_backend(BACKEND)
STEPS, SIZE = 4, 10


def of_torch(step, epoch):
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
    epoch()
    return found


def of_mxnet(step, epoch):
    found, store = {"sent": 0, "besides": 0}, step.group.store

    class Counting:
        init = store.init

        def pushpull(self, name, array, out):
            found["sent" if name.startswith("gradient") else "besides"] += (
                array.size * np.dtype(array.dtype).itemsize
            )
            store.pushpull(name, array, out=out)

    step.group.store = Counting()
    epoch()
    step.group.store = store
    return found


def of_tensorflow(step, epoch):
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
    return {"sent": STEPS * sent, "besides": 8 * STEPS}  # of losses, at the end


with ub.join() as group:
    net = ub.initialize(ub.MLP(7, 3, in_units=5), 1)
    trainer = ub.Trainer(net, ub.SGD(0.1, momentum=0.9), "cross_entropy", distributed=group)
    x = np.ones((STEPS * SIZE, 5), "float32")
    y = np.arange(STEPS * SIZE) % 3
    count = {"torch": of_torch, "mxnet": of_mxnet, "tensorflow": of_tensorflow}[BACKEND]
    order = np.arange(STEPS * SIZE)
    found = count(trainer.training_step, lambda: trainer.epoch(x, y, order, SIZE))
    found["gradients"] = sum(array.nbytes for array in ub.state(net).values())
    print(json.dumps(found), flush=True)
