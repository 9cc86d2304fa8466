"""`join`: enter the group of processes that train one model."""

from __future__ import annotations

from collections.abc import Sequence

from unified_blocks.backend import Alone, Group
from unified_blocks.backend.registry import get_backend
from unified_blocks.training.words import must_be_left_out

Distributed = str | Sequence[str] | None
"""`"auto"`: as the environment says; None: alone; `"ddp"`, `"fsdp"`; or devices of one process."""


def join(distributed: Distributed = "auto") -> Group:
    """Enter the group of processes that train together, as their starter set the environment.

    Call it at the top of the program: TensorFlow must know of the others before its first
    operation. `fit` and `Trainer` then find the group. It is of the default backend.

    Args:
        distributed: `"auto"`, as the environment says, or None, not at all; others, `"ddp"`,
            `"fsdp"` and a list of devices, not in this version.

    Returns:
        The group; a process that trains by itself is a group of one. `with ub.join():` leaves it
        at the end.

    Raises:
        UnsupportedError: a way that the framework, or this version, does not have.

    Example::

        with ub.join() as group:
            print(group.rank, "of", group.processes)
    """
    must_be_left_out("join", distributed=(distributed, "auto", None))
    return get_backend().join(distributed) or Alone()
