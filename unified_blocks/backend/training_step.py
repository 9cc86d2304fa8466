"""`Optimizer` and `Loss`, and `TrainingStep`: what a backend makes of them and a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unified_blocks.backend.graph import EAGER
from unified_blocks.types import Array

if TYPE_CHECKING:
    from typing import Self


Loss = str | Callable[..., Any]
"""A loss by its name, or a function of the output and, if there are any, of the targets."""


@dataclass(frozen=True)
class Optimizer:
    """How parameters are updated from their gradients; base of `SGD` and `Adam`."""

    learning_rate: float

    def __post_init__(self) -> None:
        name = type(self).__name__
        if not self.learning_rate > 0:
            raise ValueError(
                f"{name}: learning_rate must be above 0; got learning_rate={self.learning_rate}"
            )

    def rounded(self) -> Self:
        """The same optimizer, its numbers rounded to float32."""
        return type(self)(*(float(np.float32(value)) for value in astuple(self)))


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
        """Continue as if that many steps had been done."""

    @abstractmethod
    def set_learning_rate(self, learning_rate: float) -> None:
        """Use another one from now on. The velocities, free of the rate, stay as they are."""
