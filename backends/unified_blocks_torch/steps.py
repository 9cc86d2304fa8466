"""Training steps of PyTorch."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from functools import cached_property, partial
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from unified_blocks.backend import EAGER, PLAIN, Slot, TrainingStep
from unified_blocks.training.data.batches import applied, first_of, mapped, mapper_of
from unified_blocks.training.losses import apply_loss
from unified_blocks.training.optimizers import Adam
from unified_blocks_torch.graphs import GRAPH_KINDS, TorchGraph
from unified_blocks_torch.learning import loss_function, mode
from unified_blocks_torch.optimizers import KEPT, make_optimizer
from unified_blocks_torch.variables import walk
from unified_blocks_torch.weighted import weighted_loss


def trains_alone(net: nn.Module) -> bool:
    """Whether there are other processes, with which `net` shares no gradients."""
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_initialized()):
        return False
    if distributed.get_world_size() == 1:
        return False
    from torch.distributed.fsdp import FSDPModule, FullyShardedDataParallel  # slow to import
    from torch.distributed.tensor import DTensor

    wrappers = (nn.parallel.DistributedDataParallel, FullyShardedDataParallel, FSDPModule)
    return not (
        any(isinstance(module, wrappers) for module in net.modules())
        or any(isinstance(parameter, DTensor) for parameter in net.parameters())
    )


def taken(rows: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
    """These rows of a tensor."""
    return tensor.index_select(0, rows if rows.device == tensor.device else rows.to(tensor.device))


class TorchTrainingStep(TrainingStep):
    """See `TrainingStep`. Batches go through `call`: the model, or what computes the same."""

    count = 0
    kinds = (EAGER, *GRAPH_KINDS)
    takes: ClassVar = frozenset({"watched", "weighted"})

    def __init__(self, net, optimizer, loss, options=PLAIN):
        super().__init__(options)
        if trains_alone(net):
            warnings.warn(
                "Trainer: in a group of processes a model must be distributed for its gradients to "
                f"be shared; got a {type(net).__name__}, which each of the "
                f"{torch.distributed.get_world_size()} processes trains alone: give Trainer "
                "torch.nn.parallel.DistributedDataParallel(net)",
                stacklevel=4,  # where Trainer is called
            )
        self.net, self.optimizer = net, optimizer.rounded()
        self.ways = {EAGER: net}
        self.call = net
        self.variables = [v for v in walk(net) if v.trainable]
        self.named, self.loss = loss, loss_function(loss)
        self.native = make_optimizer([v.tensor for v in self.variables], optimizer)

    def use(self, kind):
        if kind not in self.ways:
            self.ways[kind] = TorchGraph(self.net, dynamic=False)
        self.call = self.ways[kind]

    @property
    def traces(self):
        return getattr(self.call, "traces", 0)

    def __call__(self, x, y, w=None):
        with mode(self.net, True), torch.enable_grad():
            return self.update(x, y, w)

    @contextmanager
    def running(self):
        with mode(self.net, True), torch.enable_grad():
            yield

    def epoch(self, x, y, order, batch_size, w=None, rates=None):
        self.check_given(rates)
        rows = torch.from_numpy(order).to(first_of(x).device)
        data = (x, y) if w is None else (x, y, w)
        update, each = self.updating(rates), mapper_of(data)
        with self.running():
            values = [
                update(*each(partial(taken, batch), data)) for batch in rows.split(batch_size)
            ]
        return self.fetched(values)

    def update(self, x, y, w=None, rate=None):
        if w is not None:
            return self.hooked(x, y, w, rate)
        if isinstance(self.optimizer, Adam):
            self.move_epsilon()
        self.native.zero_grad()
        value = apply_loss(self.loss, applied(self.call, x), y)
        value.backward()
        self.native.step()
        self.count += 1
        return value.detach()

    def hooked(self, x, y, w=None, rate=None):
        if isinstance(self.optimizer, Adam):
            self.move_epsilon()
        self.native.zero_grad()
        output = applied(self.call, x)
        value = self.loss_of(output, y, w)
        value.backward()
        trained = [v.tensor for v in self.variables]
        gradients = self.clipped(self.reduced([tensor.grad for tensor in trained]))
        for tensor, gradient in zip(trained, gradients, strict=True):
            tensor.grad = gradient
        self.native.step()
        self.count += 1
        self.after()
        return self.seen(value.detach(), output.detach(), y, w)

    def move_epsilon(self):
        """Make one of the two forms of Adam.

        PyTorch adds epsilon to sqrt(v / (1 - beta_2^t)), the others to sqrt(v): with this epsilon
        the two are one.
        """
        t, (group,) = self.count + 1, self.native.param_groups
        group["eps"] = self.optimizer.epsilon / math.sqrt(1 - group["betas"][1] ** t)

    def loss_of(self, output, y, w):
        return apply_loss(self.loss, output, y) if w is None else self.weighted(output, y, w)

    @cached_property
    def weighted(self):
        return weighted_loss(self.named)

    @torch.no_grad()
    def seen(self, value, output, y, w):
        """What a step returns: the loss, or a vector of it and of what is watched."""
        if not self.options.watched:
            return value
        watched = [function(output, y, w).to(value) for function in self.options.watched]
        return torch.stack([value, *watched])

    def gather(self, data, rows):
        return mapped(partial(taken, torch.as_tensor(rows)), data)

    def fetched(self, values):
        return torch.stack(values).cpu().double().numpy()

    def slots(self):
        return [self.slot(v, name) for v in self.variables for name in self.optimizer.keeps]

    def slot(self, v, name):
        def read():
            found = self.native.state[v.tensor].get(KEPT[name])
            return (
                np.zeros(v.shape, v.dtype)
                if found is None
                else found.to_dense().cpu().numpy().copy()
            )

        def write(array):
            self.native.state[v.tensor][KEPT[name]] = torch.tensor(array, device=v.tensor.device)

        return Slot(f"{v.name}.{name}", v.shape, v.dtype, read, write)

    def restart_at(self, count):
        self.count = count
        for v in self.variables if isinstance(self.optimizer, Adam) else ():
            # As PyTorch makes it: on the CPU, whatever the device.
            self.native.state[v.tensor]["step"] = torch.tensor(float(count))

    def set_learning_rate(self, learning_rate):
        for group in self.native.param_groups:
            group["lr"] = learning_rate
