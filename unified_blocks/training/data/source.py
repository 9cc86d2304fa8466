"""`Source`: gives a training its batches, epoch by epoch, in an order that can be repeated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from unified_blocks.backend import TrainingStep
from unified_blocks.training.data.batches import Batch
from unified_blocks.types import Array

Masses = Array | Sequence[float]
"""What each update counts in the mean of an epoch: numbers of samples, or sums of weights."""


Rate = Callable[[], float]
"""Gives the learning rate of an update."""


def announce(step: TrainingStep, w: Any) -> None:
    """Let a step take weights of samples, if they come and it has not taken any yet."""
    if w is not None and not step.options.weighted:
        step.weigh()


def updated(
    step: TrainingStep, batches: Sequence[Batch], accumulate: int, rate: Rate | None
) -> Any:
    """One update of a batch or, of a step that accumulates, of some."""
    announce(step, batches[0][2])
    number = None if rate is None else rate()
    if accumulate > 1:
        return step.accumulated(batches, number)
    ((x, y, w),) = batches
    more = {name: v for name, v in (("w", w), ("rate", number)) if v is not None}
    return step.update(x, y, **more)


class Source(ABC):
    """Batches for updates.

    An epoch is `begin` and then `take` or `one` until they give no more. An update has one batch,
    or as many as are accumulated.

    Attributes:
        samples: how many there are; None when the data does not say.
        steps: how many updates an epoch has; None when the data does not say.
        weighted: whether weights of samples or of classes were given; what a loader gives does not
            count.
        fixed: whether it has so many, whatever happens. A loader may say so and give others.
    """

    samples: Any = None  # int | None, which a subclass may know better
    steps: Any = None
    weighted: bool = False
    fixed: ClassVar[bool] = False

    @abstractmethod
    def first(self) -> Batch:
        """The first batch that there would be without an order. It is not used up."""

    @abstractmethod
    def begin(self, epoch: int, skip: int = 0) -> None:
        """Begin an epoch, from 1: draw its order, and pass over its first `skip` updates."""

    @abstractmethod
    def take(
        self, step: TrainingStep, count: int | None = None, rates: Array | None = None
    ) -> tuple[Array, Masses]:
        """Do the next updates, at most `count`, and fetch what they give.

        Args:
            step: does the updates.
            count: None for all that are left of the epoch.
            rates: the learning rate of each update, `(count,)`; None for the optimizer's.

        Returns:
            The losses, `(updates,)` or, with metrics, `(updates, 1 + metrics)`, in float64, and
            the mass of each update. Both are empty when the epoch has no more.
        """

    @abstractmethod
    def one(self, step: TrainingStep, rate: Rate | None = None) -> tuple[Any, float] | None:
        """Do the next update inside `step.running()`.

        Args:
            step: does it.
            rate: gives its learning rate, and is asked once there is a batch; None for the
                optimizer's.

        Returns:
            What it gives, a tensor that is not yet fetched, and its mass; None when the epoch has
            no more.
        """

    def each(self, step: TrainingStep, rate: Rate | None = None) -> Iterator[tuple[Any, float]]:
        """What `one` gives of each update that is left; inside `step.running()`."""
        while (found := self.one(step, rate)) is not None:
            yield found

    def singly(
        self, step: TrainingStep, count: int | None = None, rates: Array | None = None
    ) -> tuple[Array, Masses]:
        """What `take` does, by calls of `one`."""
        values: list[Any] = []
        masses: list[float] = []
        with step.running():
            rate = None if rates is None else iter(rates.tolist()).__next__
            for value, mass in islice(self.each(step, rate), count):
                values.append(value)
                masses.append(mass)
        return (step.fetched(values) if values else np.zeros(0)), masses

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What the order of the epoch that is going on was drawn from, for JSON."""

    @abstractmethod
    def load(self, state: dict[str, Any]) -> None:
        """Let the next `begin` draw the order that `state` was of."""
