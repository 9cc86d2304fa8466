"""`join`: enter the group of processes that train one model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unified_blocks.backend import Alone, Backend, Group
from unified_blocks.backend.registry import get_backend
from unified_blocks.training.workers.watch import watching

Distributed = str | Sequence[str] | Group | None
"""`"auto"`: as the environment says; None: alone; `"ddp"`, `"fsdp"`; or devices of one process."""


def join(distributed: Distributed = "auto") -> Group:
    """Enter the group of processes that train together, as their starter set the environment.

    Call it at the top of the program: TensorFlow must know of the others before its first
    operation. `fit` and `Trainer` then find the group. It is of the default backend.

    Args:
        distributed: `"auto"`, as the environment says; None, not at all; on PyTorch `"ddp"` or
            `"fsdp"`, which need an environment as `torchrun` sets it; on the others a list of
            devices of this process, `["gpu:0", "gpu:1"]`.

    Returns:
        The group; a process that trains by itself is a group of one. `with ub.join():` leaves it
        at the end.

    Raises:
        UnsupportedError: a way that the framework does not have.

    Example::

        with ub.join() as group:
            print(group.rank, "of", group.processes)
    """
    if isinstance(distributed, Group):
        return distributed
    group = get_backend().join(distributed) or Alone()
    watching(group)
    return group


def group_of(backend: Backend, net: Any, distributed: Distributed) -> Group | None:
    """With whom `net` is trained; None: alone. Its numbers are those of the first process then."""
    group = distributed if isinstance(distributed, Group) else backend.join(distributed)
    if group is None or group.size == 1:
        return None
    watching(group)
    with group.guarding():
        group.agree(net)
    return group
