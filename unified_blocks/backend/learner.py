"""`Learner`: what is asked of a framework so that models are trained with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from unified_blocks.backend.events import EventWriter
from unified_blocks.backend.group import Group
from unified_blocks.backend.training_step import (
    PLAIN,
    Batch,
    Loss,
    Optimizer,
    StepOptions,
    TrainingStep,
)
from unified_blocks.errors import UnsupportedError
from unified_blocks.types import State


class Learner(ABC):
    """The part of a `Backend` that trains."""

    title: ClassVar[str]
    losses_of_its_own: ClassVar[str] = ""
    """Why the framework's losses are not `loss(output, y)` with a scalar, if they are not."""

    @abstractmethod
    def loss_function(self, loss: Loss) -> Callable[..., Any]:
        """The loss as a function of tensors: of the output, and of the targets if it takes any."""

    @abstractmethod
    def value_and_grad(
        self, net: Any, x: Any, y: Any, loss: Loss, parameters: bool, inputs: bool, train: bool
    ) -> tuple[float, State]:
        """The loss, and its gradients by canonical name (the input's under `"x"`)."""

    @abstractmethod
    def training_step(
        self, net: Any, optimizer: Optimizer, loss: Loss, options: StepOptions = PLAIN
    ) -> TrainingStep:
        """How `net` is trained with this optimizer and this loss, and what is done besides.

        Raises:
            UnsupportedError: an option that the framework cannot do.
        """

    def weighted_loss(self, loss: Loss) -> Callable[..., Any]:
        """The loss as a function of output, targets and weights of samples: `Σ wᵢ lᵢ / Σ wᵢ`."""
        raise self.lacking("weights of samples")

    def seed(self, net: Any, seed: int | None) -> None:
        """Begin all that `net` draws when it is called, and `ub.ops` draw, from this seed.

        Args:
            net: a model, or None for those generators alone that all models and loaders share.
            seed: of 32 bits. None ends it: where the framework's generators can be read, they go
                on as if they had not been seeded.
        """
        raise self.lacking("a seed of what models draw")

    def loader_of(self, value: Any) -> Iterable[Batch] | None:
        """What gives the batches of a loader of this framework; None of anything else."""
        return None

    def taken(self, tensor: Any, device: str | None = None) -> Any:
        """A tensor of any framework as one of this one, in the same memory if possible."""
        raise self.lacking("batches of another framework")

    def event_writer(self, folder: str) -> EventWriter:
        """What writes event files into `folder`, by the framework's own writer."""
        raise self.lacking("event files")

    def join(self, how: Any = "auto") -> Group | None:
        """Enter the group of processes, or of devices, that train together.

        Args:
            how: `"auto"`, as the environment says; None, not at all; `"ddp"` or `"fsdp"`; or a
                list of devices of this process.

        Returns:
            The group; None when there is none to enter.

        Raises:
            UnsupportedError: a way that the framework does not have.
        """
        if how not in ("auto", None):
            raise self.lacking(f"distributed={how!r}")
        return None

    def devices_of(self, net: Any) -> Group | None:
        """The devices of this process, or of several, on which the user has put `net`.

        By a strategy or by contexts of the framework's own; None where it is on one device.
        """
        return None

    def lacking(self, what: str) -> UnsupportedError:
        """The error for something about training that is asked of this framework in vain."""
        return UnsupportedError(
            f"to be trained so, a model must be of a framework that can do it here; got {what} on "
            f"{self.title}, which cannot: leave it out"
        )
