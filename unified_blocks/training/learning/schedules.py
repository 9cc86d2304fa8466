"""Schedules: by which factor an optimizer's learning rate is multiplied at each update.

`rate_t = float32(lr · f(t))`, t being the number of updates that were done before, from 0. Any
function of t is a schedule; `StepDecay`, `CosineDecay` and `WarmUp` are those that are usual.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np

from unified_blocks.types import Array

Unit = Literal["step", "epoch"]
"""What a schedule counts in: updates, or epochs, of which the data says how many updates."""


@dataclass(frozen=True)
class Schedule(ABC):
    """A factor for each update; `schedule(t)` is `schedule.factor(t)`."""

    def __post_init__(self) -> None:
        unit = getattr(self, "unit", "step")
        self._must("unit", "be 'step' or 'epoch'", unit in ("step", "epoch"))

    def _must(self, name: str, rule: str, kept: bool) -> None:
        if not kept:
            got = getattr(self, name)
            raise ValueError(f"{type(self).__name__}: {name} must {rule}; got {name}={got!r}")

    @abstractmethod
    def factor(self, t: int) -> float:
        """What the learning rate is multiplied by at update `t`, from 0.

        Raises:
            ValueError: when it counts in epochs: `in_steps` says how long they are.
        """

    def __call__(self, t: int) -> float:
        return self.factor(t)

    @abstractmethod
    def in_steps(self, steps_per_epoch: int) -> Schedule:
        """The same schedule, counted in updates."""

    def _counts_in_steps(self) -> None:
        self._must(
            "unit",
            "be 'step' for a factor to be known, or fit must know how long an epoch is",
            getattr(self, "unit", "step") == "step",
        )


@dataclass(frozen=True)
class StepDecay(Schedule):
    """`γ^⌊t / every⌋`: the rate is multiplied by `gamma` after each `every` updates.

    Args:
        every: how many updates, or epochs, lie between two steps; above 0.
        gamma: γ, in (0, 1].
        unit: `"step"`, or `"epoch"` when `every` is in epochs.

    Raises:
        ValueError: a number outside its range.

    Example::

        schedule = ub.StepDecay(30, gamma=0.1, unit="epoch")  # from the 31st epoch 0.1, then 0.01
        ub.StepDecay(2, gamma=0.5)(5)  # 0.25
    """

    every: float
    gamma: float = 0.1
    unit: Unit = "step"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._must("every", "be above 0", self.every > 0)
        self._must("gamma", "be in (0, 1]", 0 < self.gamma <= 1)

    def factor(self, t: int) -> float:
        self._counts_in_steps()
        return float(self.gamma ** math.floor(t / self.every))

    def in_steps(self, steps_per_epoch: int) -> StepDecay:
        if self.unit == "step":
            return self
        return replace(self, every=self.every * steps_per_epoch, unit="step")


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """`floor + (1 - floor) (1 + cos(π min(t / steps, 1))) / 2`: half a cosine, from 1 to `floor`.

    It stays at `floor` after that. (Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with
    Warm Restarts", equation 5, without restarts.)

    Args:
        steps: how many updates, or epochs, it takes; above 0.
        floor: the factor at the end, in [0, 1].
        unit: `"step"`, or `"epoch"` when `steps` is in epochs.

    Raises:
        ValueError: a number outside its range.

    Example::

        ub.CosineDecay(100)(50)  # 0.5
    """

    steps: float
    floor: float = 0.0
    unit: Unit = "step"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._must("steps", "be above 0", self.steps > 0)
        self._must("floor", "be in [0, 1]", 0 <= self.floor <= 1)

    def factor(self, t: int) -> float:
        self._counts_in_steps()
        share = (1 + math.cos(math.pi * min(t / self.steps, 1))) / 2
        return self.floor + (1 - self.floor) * share

    def in_steps(self, steps_per_epoch: int) -> CosineDecay:
        if self.unit == "step":
            return self
        return replace(self, steps=self.steps * steps_per_epoch, unit="step")


@dataclass(frozen=True)
class WarmUp(Schedule):
    """`(t + 1) / steps` for t < `steps`, then `then(t - steps)`, or 1 without it.

    Args:
        steps: how many updates, or epochs, it takes to reach the whole rate; above 0. In updates
            it must be whole; epochs become whole numbers of updates, rounded.
        then: the schedule after that, or a function of the updates since then; None for 1.
        unit: `"step"`, or `"epoch"` when `steps` is in epochs; that of `then` is its own.

    Raises:
        ValueError: a number outside its range.

    Example::

        schedule = ub.WarmUp(5, then=ub.CosineDecay(95))
        ub.WarmUp(4)(1)  # 0.5
    """

    steps: float
    then: Callable[[int], float] | None = None
    unit: Unit = "step"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._must("steps", "be above 0", self.steps > 0)
        whole = self.unit == "epoch" or self.steps == int(self.steps)
        self._must("steps", "be a whole number of updates", whole)
        self._must("then", "be a schedule or a function", self.then is None or callable(self.then))

    def factor(self, t: int) -> float:
        self._counts_in_steps()
        if t < self.steps:
            return (t + 1) / self.steps
        return 1.0 if self.then is None else self.then(t - int(self.steps))

    def in_steps(self, steps_per_epoch: int) -> WarmUp:
        then = self.then
        if isinstance(then, Schedule):
            then = then.in_steps(steps_per_epoch)
        if self.unit == "step":
            return replace(self, then=then)
        steps = max(1, round(self.steps * steps_per_epoch))
        return replace(self, steps=steps, then=then, unit="step")


def rates(schedule: Callable[[int], float], learning_rate: float, first: int, count: int) -> Array:
    """`float32(lr · f(t))` for the updates `t` from `first` on, `(count,)` in float32.

    Raises:
        ValueError: a factor that is not a number from 0.
    """
    factors = [float(schedule(t)) for t in range(first, first + count)]
    for t, factor in enumerate(factors, start=first):
        if not (math.isfinite(factor) and factor >= 0):
            raise ValueError(
                f"schedule: each factor must be a number from 0; got {factor} at update {t}"
            )
    return np.array([learning_rate * factor for factor in factors], "float32")


def schedule_meant(written: Any, steps_per_epoch: int | None) -> Callable[[int], float] | None:
    """The schedule that is meant, counted in updates.

    Args:
        written: a schedule, a function of the number of updates, or None.
        steps_per_epoch: how many updates an epoch has; None when nobody knows.

    Raises:
        TypeError: when it is none of them.
        ValueError: when it counts in epochs whose length nobody knows.
    """
    if written is None:
        return None
    if not callable(written):
        raise TypeError(
            "schedule must be a function of the number of updates, such as ub.CosineDecay(1000); "
            f"got {written!r}"
        )
    if not isinstance(written, Schedule):
        return cast("Callable[[int], float]", written)
    if steps_per_epoch is not None:
        return written.in_steps(steps_per_epoch)
    if written.in_steps(1) != written:
        raise ValueError(
            "schedule: to count in epochs, their length must be known; got "
            f"{written!r} and data of unknown length: count in updates, with unit='step'"
        )
    return written
