"""`Group`: the processes that train one model together."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from unified_blocks.backend.variable import Variable
from unified_blocks.types import Array

if TYPE_CHECKING:
    from typing import Self


class Group(ABC):
    """Who trains along. A batch is cut into `size` shares, and a process takes those in `mine`.

    Attributes:
        rank: the number of this process, from 0. The first writes files and draws bars.
        processes: how many there are.
        size: how many shares there are in all: one for each device that computes.
        mine: the shares of this process.
        host: the name of its machine.
        meeting: a machine that all reach, such as that on which they found each other.
        sharded: whether each process holds a part of the parameters only, so that all of them have
            to read one together.
        watch: what tells when one of them has ended; None where nobody watches.
    """

    meeting: str = "127.0.0.1"
    sharded: bool = False
    watch: Any = None

    rank: int
    processes: int
    size: int
    mine: range
    host: str

    @abstractmethod
    def sum(self, array: Array) -> Array:
        """The sum of this array over all processes, each of which calls this, in float64."""

    @abstractmethod
    def agree(self, net: Any) -> None:
        """Give all the numbers of the first process: parameters, constants and statistics."""

    def agree_on(self, variables: Iterable[Variable]) -> None:
        """`agree`, with the variables of a model, which all have in the same order."""
        for v in variables:
            own = np.array(v.read(), "float64")
            v.write(self.sum(own if self.rank == 0 else np.zeros_like(own)).astype(v.view().dtype))

    @abstractmethod
    def close(self) -> None:
        """Leave the group."""

    def guarding(self) -> AbstractContextManager[None]:
        """Around what needs the others: when one of them ends, an error says which."""
        guard: AbstractContextManager[None] = (
            nullcontext() if self.watch is None else self.watch.guarding()
        )
        return guard

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if self.watch is not None and kind is None:
            self.watch.close()
        self.close()


class Alone(Group):
    """A process that trains by itself."""

    rank, processes, size, mine = 0, 1, 1, range(1)

    def __init__(self) -> None:
        self.host = socket.gethostname()

    def sum(self, array: Array) -> Array:
        return np.array(array, "float64")

    def agree(self, net: Any) -> None:
        """There is nobody to agree with."""

    def close(self) -> None:
        """There is nobody to leave."""
