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
    """How parameters are updated from their gradients; base of `SGD`, `Adam` and the others."""

    learning_rate: float

    def __post_init__(self) -> None:
        self.must("learning_rate", "be above 0", self.learning_rate > 0)

    def must(self, name: str, rule: str, kept: bool) -> None:
        """Raise a `ValueError` that names one of the arguments, unless its rule is kept."""
        if not kept:
            got = getattr(self, name)
            raise ValueError(f"{type(self).__name__}: {name} must {rule}; got {name}={got}")

    @property
    def keeps(self) -> tuple[str, ...]:
        """What it keeps of each parameter from step to step, by the names of `Slot`."""
        return ()

    def rounded(self) -> Self:
        """The same optimizer, its numbers rounded to float32."""
        return type(self)(
            *(
                value if isinstance(value, bool) else float(np.float32(value))
                for value in astuple(self)
            )
        )


@dataclass
class Slot:
    """What an optimizer keeps of one parameter, in canonical layout.

    Attributes:
        name: `"hidden.weight.velocity"`; `velocity` of SGD is `v` in its formula, free of the
            learning rate; `mean` and `variance` are m and v of Adam; `mean_of_squares` is v of
            RMSprop, and `sum_of_squares` that of Adagrad.
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
