"""The processes with which PyTorch trains one model, by `torch.distributed`."""

from __future__ import annotations

import atexit
import gc
import os
import socket
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from inspect import signature
from typing import Any, ClassVar

import numpy as np
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from unified_blocks.backend import Group
from unified_blocks.errors import UnsupportedError
from unified_blocks.training.workers.shares import Sharing
from unified_blocks_torch.optimizers import KEPT
from unified_blocks_torch.steps import TorchTrainingStep, is_distributed
from unified_blocks_torch.variables import walk

ENVIRONMENT = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What `torchrun` sets for each process that it starts."""
JOINED: list[TorchGroup] = []
"""The group of this process, if it is in one."""
PARAMETERS = signature(DistributedDataParallel).parameters
BUFFERS = next(n for n in ("forward_sync_buffers", "broadcast_buffers") if n in PARAMETERS)
"""What keeps the buffers of a process its own: the second is the older name."""
PATIENCE = timedelta(seconds=45)
"""How long one process waits for another one."""


class TorchGroup(Group):
    """The processes of PyTorch's default group.

    Args:
        began: whether this library began PyTorch's group, and so ends it.

    Attributes:
        how: what the model of each process becomes: `"ddp"` or `"fsdp"`.
    """

    how = "ddp"

    def __init__(self, began: bool) -> None:
        self.began, self.native = began, distributed.group.WORLD
        self.rank, self.processes = distributed.get_rank(), distributed.get_world_size()
        self.size, self.mine = self.processes, range(self.rank, self.rank + 1)
        self.host = socket.gethostname()
        self.meeting = os.environ.get("MASTER_ADDR", self.meeting)
        # NCCL knows GPUs only; where there is Gloo too it takes what is on the CPU.
        alone = distributed.get_backend() == "nccl"
        self.device = torch.device("cuda", torch.cuda.current_device()) if alone else "cpu"

    def sum(self, array):
        numbers = torch.tensor(np.asarray(array, "float64"), device=self.device)
        distributed.all_reduce(numbers)
        return numbers.cpu().numpy()

    def agree(self, net):
        self.agree_on(walk(net))

    def close(self):
        if self.began and distributed.is_initialized():
            distributed.destroy_process_group()
        # What still holds Gloo's group when the process ends makes it abort, now and then.
        self.native = None
        if self in JOINED:
            JOINED.remove(self)
        gc.collect()


def join(how: Any) -> Group | None:
    """See `Backend.join`."""
    if how is None or not distributed.is_available():
        return None
    if how not in ("auto", "ddp", "fsdp"):
        raise UnsupportedError(
            "distributed must be 'auto', 'ddp', 'fsdp' or None on PyTorch, which has a process for "
            f"each device; got distributed={how!r}: start the program with torchrun"
        )
    if not distributed.is_initialized():
        missing = [name for name in ENVIRONMENT if name not in os.environ]
        if how == "auto" and (missing or os.environ["WORLD_SIZE"] == "1"):
            return None
        if missing:
            raise UnsupportedError(
                f"distributed={how!r} needs {', '.join(ENVIRONMENT)} in the environment, as "
                f"torchrun sets them; got no {', '.join(missing)}: start the program with torchrun"
            )
        begin()
        JOINED[:] = [TorchGroup(began=True)]
        atexit.register(JOINED[0].close)
    elif not JOINED or JOINED[0].native is not distributed.group.WORLD:
        JOINED[:] = [TorchGroup(began=False)]
    (group,) = JOINED
    if how != "auto":
        group.how = how
    return group


def begin() -> None:
    """Begin PyTorch's default group."""
    gpus = torch.cuda.is_available() and distributed.is_nccl_available()
    if gpus:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    distributed.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=PATIENCE)


def shard(net: nn.Module) -> None:
    """Give each process a part of each parameter: of the layers of `net`, one by one, and its own.

    A parameter that several of them hold has to stay in one piece with them: then `net` is
    sharded as a whole.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(next(net.parameters()).device.type, (distributed.get_world_size(),))
    layers, found = list(parts_of(net)), [set(layer.parameters()) for layer in parts_of(net)]
    if sum(map(len, found)) == len(set().union(*found)):
        for layer in layers:
            fully_shard(layer, mesh=mesh)
    fully_shard(net, mesh=mesh)


def is_part(tensor: torch.Tensor) -> bool:
    """Whether each process has a part of a tensor only."""
    return hasattr(tensor, "full_tensor")


def parts_of(net: nn.Module) -> Iterator[nn.Module]:
    """The children of `net` that have parameters; those of a container in its place."""
    for child in net.children():
        if isinstance(child, (nn.ModuleList, nn.ModuleDict, nn.Sequential)):
            yield from parts_of(child)
        elif any(True for _ in child.parameters()):
            yield child


class TorchSharedStep(Sharing, TorchTrainingStep):
    """See `Sharing`. The batches go through `DistributedDataParallel`, which adds up gradients.

    A model that is distributed already, by `DistributedDataParallel` or `fully_shard`, stays so.
    """

    takes: ClassVar = TorchTrainingStep.takes | {"group"}
    takes_means: ClassVar = True

    def __init__(self, net, optimizer, loss, options):
        sharded = options.group.how == "fsdp" and not is_distributed(net)
        if sharded:
            shard(net)
        super().__init__(net, optimizer, loss, options)
        self.group.sharded = any(is_part(v.tensor) for v in self.variables)
        self.wrapped = net if isinstance(net, DistributedDataParallel) else None
        if not sharded and not is_distributed(net):
            unshared: Any = {BUFFERS: False}
            self.wrapped = DistributedDataParallel(net, **unshared)
            self.ways[self.kinds[0]] = self.call = self.wrapped

    def use(self, kind):
        if kind != self.kinds[0]:
            raise UnsupportedError(
                f"compile: a training step of {self.group.processes} processes must be eager; got "
                f"{kind!r}: give torch.compile the model, before ub.Trainer"
            )

    def syncing(self, last):
        if self.wrapped is not None:
            return nullcontext() if last else self.wrapped.no_sync()
        if hasattr(self.net, "set_requires_gradient_sync"):
            self.net.set_requires_gradient_sync(last)
        return nullcontext()

    # what the processes hold in parts

    def parts(self):
        """The parameters that are parts here, and what is kept of them, by names of a checkpoint.

        What was not updated yet has zeros.
        """
        found = {v.name: v.tensor.detach() for v in walk(self.net) if is_part(v.tensor)}
        for v in self.variables:
            for name in self.optimizer.keeps if is_part(v.tensor) else ():
                kept = self.native.state[v.tensor].get(KEPT[name])
                found[f"optimizer.{v.name}.{name}"] = (
                    torch.zeros_like(v.tensor.detach()) if kept is None else kept
                )
        if self.kept_averages is not None:
            pairs = zip(self.variables, self.kept_averages.held, strict=True)
            found |= {f"average.{v.name}": held for v, held in pairs if is_part(held)}
        return found

    def write_parts(self, folder):
        from unified_blocks_torch import parts  # slow to import

        found = self.parts()
        parts.write(folder, found)
        return frozenset(found)

    def read_parts(self, folder):
        from unified_blocks_torch import parts

        found = self.parts()
        parts.read(folder, found)
        for v in self.variables:
            for name in self.optimizer.keeps if is_part(v.tensor) else ():
                kept = found[f"optimizer.{v.name}.{name}"]
                self.native.state[v.tensor][KEPT[name]] = kept
        return frozenset(found)

    def over_all(self, value):
        distributed.all_reduce(value)
        return value / self.k
