"""`TrainingStep`: what a backend makes of an optimizer, a loss and a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from unified_blocks.backend import EAGER
from unified_blocks.types import Array


@dataclass
class Slot:
    """What an optimizer keeps of one parameter, in canonical layout.

    Attributes:
        name: `"hidden.weight.velocity"`; `velocity` of SGD is `v` in its formula, free of the
            learning rate; `mean` and `variance` are those of Adam.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], Array]
    write: Callable[[Array], None]


class TrainingStep(ABC):
    """A function `step(x, y)` that updates the parameters of a model.

    Attributes:
        kinds: the ways in which the framework can run it; the first is in force until `use`.
    """

    kinds: tuple[str, ...] = (EAGER,)

    @property
    def traces(self) -> int:
        """How many graphs the framework has made for the kind in force."""
        return 0

    def use(self, kind: str) -> None:  # noqa: B027  # with one kind there is nothing to do
        """Run the step, and epochs, in another of its `kinds` from now on."""

    @property
    @abstractmethod
    def count(self) -> int:
        """How many steps were done."""

    @abstractmethod
    def __call__(self, x: Any, y: Any) -> Any:
        """Update the parameters once; the loss before that, a tensor, not yet fetched."""

    @abstractmethod
    def epoch(self, x: Any, y: Any, order: Array, batch_size: int) -> Array:
        """A step for each batch of the rows of `x` and `y` in this order; see `Trainer.epoch`."""

    @abstractmethod
    def slots(self) -> list[Slot]:
        """What the optimizer keeps, zeros where it has kept nothing yet."""

    @abstractmethod
    def restart_at(self, count: int) -> None:
        """Go on as after that many steps."""

    @abstractmethod
    def set_learning_rate(self, learning_rate: float) -> None:
        """Use another one from now on. The velocities, free of the rate, stay as they are."""
