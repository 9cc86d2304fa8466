"""Losses and training steps of PyTorch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from unified_blocks.backend import EAGER, Slot, TrainingStep
from unified_blocks.training.losses import apply_loss, check_alike, check_loss
from unified_blocks.training.optimizers import Adam
from unified_blocks_torch.graphs import GRAPH_KINDS, TorchGraph
from unified_blocks_torch.optimizers import KEPT, make_optimizer
from unified_blocks_torch.variables import walk

IGNORED = -(2**62)
"""PyTorch leaves out one label without a word, -100 unless told; here none is left out."""


def cross_entropy(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(output, y.long(), ignore_index=IGNORED)


def mse(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    check_alike("mse", output, y)
    return F.mse_loss(output, y)


def l1(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    check_alike("l1", output, y)
    return F.l1_loss(output, y)


def huber(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    check_alike("huber", output, y)
    return F.huber_loss(output, y)


def binary_cross_entropy(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    check_alike("binary_cross_entropy", output, y)
    return F.binary_cross_entropy_with_logits(output, y)


LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "sum": lambda output: output.sum(),
    "mean": lambda output: output.mean(),
    "mse": mse,
    "cross_entropy": cross_entropy,
    "l1": l1,
    "huber": huber,
    "binary_cross_entropy": binary_cross_entropy,
}


def loss_function(loss: str | Callable[..., Any]) -> Callable[..., torch.Tensor]:
    return loss if callable(loss) else LOSSES[check_loss(loss)]


@contextmanager
def mode(net: nn.Module, train: bool):
    """Training or evaluation mode inside the `with`; each module gets its own mode back."""
    before = [module for module in net.modules() if module.training != train]
    for module in before:
        module.training = train
    try:
        yield
    finally:
        for module in before:
            module.training = not train


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


class TorchTrainingStep(TrainingStep):
    """See `TrainingStep`. Batches go through `call`: the model, or what computes the same."""

    count = 0
    kinds = (EAGER, *GRAPH_KINDS)

    def __init__(self, net, optimizer, loss):
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
        self.loss = loss_function(loss)
        self.native = make_optimizer([v.tensor for v in self.variables], optimizer)

    def use(self, kind):
        if kind not in self.ways:
            self.ways[kind] = TorchGraph(self.net, dynamic=False)
        self.call = self.ways[kind]

    @property
    def traces(self):
        return getattr(self.call, "traces", 0)

    def __call__(self, x, y):
        with mode(self.net, True), torch.enable_grad():
            return self.update(x, y)

    def epoch(self, x, y, order, batch_size):
        rows = torch.from_numpy(order).to(x.device)
        with mode(self.net, True), torch.enable_grad():
            losses = [
                self.update(*(None if a is None else a.index_select(0, batch) for a in (x, y)))
                for batch in rows.split(batch_size)
            ]
        return torch.stack(losses).cpu().double().numpy()

    def update(self, x, y):
        if isinstance(self.optimizer, Adam):
            # PyTorch adds epsilon to sqrt(v / (1 - beta_2^t)), the others to sqrt(v): with this
            # epsilon the two forms are one.
            t, (group,) = self.count + 1, self.native.param_groups
            group["eps"] = self.optimizer.epsilon / math.sqrt(1 - group["betas"][1] ** t)
        self.native.zero_grad()
        value = apply_loss(self.loss, self.call(x), y)
        value.backward()
        self.native.step()
        self.count += 1
        return value.detach()

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
