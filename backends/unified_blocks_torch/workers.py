"""The processes with which PyTorch trains one model, by `torch.distributed`."""

from __future__ import annotations

import atexit
import os
import socket
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, ClassVar

import numpy as np
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from unified_blocks.backend import Group
from unified_blocks.errors import UnsupportedError
from unified_blocks.training.workers.shares import Sharing
from unified_blocks_torch.steps import TorchTrainingStep, is_distributed
from unified_blocks_torch.variables import walk

ENVIRONMENT = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What `torchrun` sets for each process that it starts."""
PATIENCE = timedelta(seconds=45)
"""How long one process waits for another one."""


class TorchGroup(Group):
    """The processes of PyTorch's default group.

    Args:
        how: `"ddp"` or `"fsdp"`: what the model of each process becomes.
        began: whether this library began PyTorch's group, and so ends it.
    """

    def __init__(self, how: str, began: bool) -> None:
        self.how, self.began = how, began
        self.rank, self.processes = distributed.get_rank(), distributed.get_world_size()
        self.size, self.mine = self.processes, range(self.rank, self.rank + 1)
        self.host = socket.gethostname()
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


def join(how: Any) -> Group | None:
    """See `Backend.join`."""
    if how is None or not distributed.is_available():
        return None
    if how not in ("auto", "ddp", "fsdp"):
        raise UnsupportedError(
            "distributed must be 'auto', 'ddp', 'fsdp' or None on PyTorch, which has a process for "
            f"each device; got distributed={how!r}: start the program with torchrun"
        )
    style = "fsdp" if how == "fsdp" else "ddp"
    if distributed.is_initialized():
        return TorchGroup(style, began=False)
    missing = [name for name in ENVIRONMENT if name not in os.environ]
    if how == "auto" and (missing or os.environ["WORLD_SIZE"] == "1"):
        return None
    if missing:
        raise UnsupportedError(
            f"distributed={how!r} needs {', '.join(ENVIRONMENT)} in the environment, as torchrun "
            f"sets them; got no {', '.join(missing)}: start the program with torchrun"
        )
    gpus = torch.cuda.is_available() and distributed.is_nccl_available()
    if gpus:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    distributed.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=PATIENCE)
    group = TorchGroup(style, began=True)
    atexit.register(group.close)
    return group


class TorchSharedStep(Sharing, TorchTrainingStep):
    """See `Sharing`. The batches go through `DistributedDataParallel`, which adds up gradients.

    A model that is distributed already, by `DistributedDataParallel` or `fully_shard`, stays so.
    """

    takes: ClassVar = TorchTrainingStep.takes | {"group"}
    takes_means: ClassVar = True

    def __init__(self, net, optimizer, loss, options):
        super().__init__(net, optimizer, loss, options)
        self.wrapped = net if isinstance(net, DistributedDataParallel) else None
        if not is_distributed(net):
            self.wrapped = DistributedDataParallel(net, broadcast_buffers=False)
            self.ways[self.kinds[0]] = self.call = self.wrapped

    def use(self, kind):
        if kind != self.kinds[0]:
            raise UnsupportedError(
                f"compile: a training step of {self.group.processes} processes must be eager; got "
                f"{kind!r}: give torch.compile the model, before ub.Trainer"
            )

    def syncing(self, last):
        return nullcontext() if last or self.wrapped is None else self.wrapped.no_sync()

    def over_all(self, value):
        distributed.all_reduce(value)
        return value / self.k
