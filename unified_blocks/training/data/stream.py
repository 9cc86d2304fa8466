"""`Stream`: batches of a loader, a generator, or a function that gives one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from unified_blocks.backend import Backend, TrainingStep
from unified_blocks.errors import UnsupportedError
from unified_blocks.training.data.batches import Batch
from unified_blocks.training.data.source import Masses, Source
from unified_blocks.types import Array


class Stream(Source):
    """Batches `(x, y)` or `(x, y, sample_weight)` as they come.

    Args:
        backend, device: whose tensors the batches become, and where.
        batches: a loader of any framework, an iterable of batches, or a function without arguments
            that gives an iterator for each epoch.
        epochs: how often they will be gone through; a generator can be once.
        accumulate: how many batches to an update.

    Raises:
        UnsupportedError: always; this version trains on arrays.
    """

    def __init__(
        self,
        backend: Backend,
        device: str | None,
        batches: Iterable[Any] | Callable[[], Iterator[Any]],
        *,
        epochs: int = 1,
        accumulate: int = 1,
    ) -> None:
        raise UnsupportedError(
            "fit: x and y must be arrays, because this version has no rule for loaders; got a "
            f"{type(batches).__name__}: join its batches with numpy.concatenate"
        )

    def first(self) -> Batch:
        raise NotImplementedError

    def begin(self, epoch: int, skip: int = 0) -> None:
        raise NotImplementedError

    def take(
        self, step: TrainingStep, count: int | None = None, rates: Array | None = None
    ) -> tuple[Array, Masses]:
        raise NotImplementedError

    def one(self, step: TrainingStep, rate: float | None = None) -> tuple[Any, float] | None:
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        raise NotImplementedError

    def load(self, state: dict[str, Any]) -> None:
        raise NotImplementedError
