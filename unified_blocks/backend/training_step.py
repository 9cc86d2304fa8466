"""`Optimizer` and `Loss`, and `TrainingStep`: what a backend makes of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from unified_blocks.backend.graph import EAGER
from unified_blocks.backend.step_options import PLAIN as PLAIN
from unified_blocks.backend.step_options import Clip as Clip
from unified_blocks.backend.step_options import ParameterGroup as ParameterGroup
from unified_blocks.backend.step_options import StepOptions as StepOptions
from unified_blocks.backend.step_options import as_python
from unified_blocks.errors import UnsupportedError
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
        as_python(self)
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
        read, write: get and set it.
        scale: what the framework holds is this times that: `-lr` for a velocity in Keras and MXNet.
        held, hold: get and set what the framework holds, without the rounding by `scale`; left
            out, `read` and `write` do.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], Array]
    write: Callable[[Array], None]
    scale: float = 1.0
    held: Callable[[], Array] = field(default=None)  # type: ignore[assignment]
    hold: Callable[[Array], None] = field(default=None)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.held is None:
            self.held, self.hold = self.read, self.write


Batch = tuple[Any, Any, Any]
"""Inputs, targets and weights of samples, tensors; None for what there is not."""


class TrainingStep(ABC):
    """A function `step(x, y, w)` that updates the parameters of a model.

    An adapter's own has two ways to update: `update` of a step that at most watches, and `hooked`,
    which calls what a subclass may override: `loss_of`, `reduced`, `clipped`, `after`. Which of
    them runs is chosen once, when the step is made, so that who asks for nothing pays for nothing.

    Args:
        options: what it does besides.

    Raises:
        UnsupportedError: an option that is not among those it `takes`.

    Attributes:
        kinds: the ways in which the framework can run it; the first is in force until `use`.
        takes: the names of the `StepOptions` that it knows.
        options: its own.
        mass: what the last update counts, where workers had batches of their own: that of all of
            them; None alone.
        gathers: how many batches it is best to gather rows of at once, to be cut apart then.
        kept_averages: an adapter's own, with `update`, `slots` and `in_place`; None without.
    """

    gathers: ClassVar[int] = 1
    kept_averages: Any = None
    mass: float | None = None
    kinds: tuple[str, ...] = (EAGER,)
    takes: ClassVar[frozenset[str]] = frozenset()
    options = PLAIN

    def __init__(self, options: StepOptions = PLAIN) -> None:
        for name, value in options.given().items():
            if name not in self.takes:
                raise UnsupportedError(
                    f"Trainer: an option of training must be one that {type(self).__name__} takes, "
                    f"{', '.join(sorted(self.takes)) or 'of which there are none'}; got "
                    f"{name}={value!r}: leave it out"
                )
        self.options = options if options.given() else PLAIN
        if options.given().keys() - {"watched"}:
            self.update = self.hooked  # type: ignore[method-assign]

    @property
    def free(self) -> bool:
        """Whether the learning rate is another for each update, or for some parameters.

        What an optimizer keeps must then be free of it.
        """
        return self.options.scheduled or bool(self.options.groups)

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

    # steps

    @abstractmethod
    def __call__(self, x: Any, y: Any, w: Any = None, rate: float | None = None) -> Any:
        """Update the parameters once, in training mode; what `update` returns.

        With `accumulate` the batch is all that the update is of, and is computed in so many parts.
        """

    @abstractmethod
    def epoch(
        self,
        x: Any,
        y: Any,
        order: Array,
        batch_size: int,
        w: Any = None,
        rates: Array | None = None,
    ) -> Array:
        """A step for each batch of the rows of `x` and `y` in this order; see `Trainer.epoch`.

        With `accumulate` a step is of so many batches, the last one of what is left.

        Args:
            x, y, w: tensors, samples first; None for targets or weights that there are not.
            order, batch_size: of the samples; the last batch takes what is left.
            rates: the learning rate of each update, of a step that is `scheduled`.

        Returns:
            What each update gives, fetched once: the losses `(updates,)` in float64, or with
            `watched` the losses and what is watched, `(updates, 1 + watched)`.
        """

    def running(self) -> AbstractContextManager[Any]:
        """Inside the `with` the framework is ready for many calls of `update`, at no more cost."""
        return nullcontext()

    def update(self, x: Any, y: Any, w: Any = None, rate: float | None = None) -> Any:
        """Update the parameters once, inside `running()`.

        Args:
            x, y: a batch, tensors.
            w: the weights of its samples, of a step that is `weighted`.
            rate: the learning rate, of a step that is `scheduled`.

        Returns:
            The loss before the update, a tensor, not yet fetched; with `watched` a vector of it
            and of what is watched.
        """
        return self(x, y, w)

    def hooked(self, x: Any, y: Any, w: Any = None, rate: float | None = None) -> Any:
        """`update`, with all that the options ask for."""
        raise self.lacking("options")

    def accumulated(self, batches: Sequence[Batch], rate: float | None = None) -> Any:
        """One update of several batches, inside `running()`, as of one that holds them all.

        `g = Σ mⱼ gⱼ / Σ mⱼ` with the masses mⱼ of the batches; the loss and what is watched alike.
        What goes through the network goes through it a batch at a time: the statistics of a
        BatchNorm are of each batch.
        """
        raise self.lacking("accumulate")

    def lacking(self, what: str) -> UnsupportedError:
        """The error for something that steps of this framework do not do."""
        return UnsupportedError(
            f"Trainer: a training step must be able to do what is asked of it; got {what} for a "
            f"{type(self).__name__}, which is not: leave it out"
        )

    def weigh(self) -> None:
        """Take weights of samples with each batch from now on."""
        self.options = replace(self.options, weighted=True)
        self.update = self.hooked  # type: ignore[method-assign]

    def check_given(self, w: Any, rates: Any = None) -> None:
        """Check that weights and rates come if and only if the step was made for them.

        Raises:
            ValueError: when it is otherwise.
        """
        for name, given in (("weighted", w is not None), ("scheduled", rates is not None)):
            if given != getattr(self.options, name):
                what = "weights" if name == "weighted" else "learning rates"
                raise ValueError(
                    f"a training step must get {what} exactly when it was made for them; got "
                    f"{'some' if given else 'none'} with {name}={getattr(self.options, name)}: "
                    f"make it with StepOptions({name}={given})"
                )

    def ended(self) -> None:  # noqa: B027  # alone there is nobody to tell
        """Tell those who train along, each on batches of its own, that there are no more."""

    # what `hooked` calls

    def loss_of(self, output: Any, y: Any, w: Any) -> Any:
        """The loss of a batch, a scalar tensor to be differentiated."""
        raise self.lacking("options")

    def reduced(self, gradients: list[Any]) -> list[Any]:
        """The gradients of all who train along, in place of one's own; None where there is none."""
        return gradients

    def clipped(self, gradients: list[Any]) -> list[Any]:
        """The gradients that the optimizer gets, in place of the reduced ones."""
        return gradients  # an adapter clips them when it is to

    def after(self) -> None:
        """What is done after each update."""
        if self.kept_averages is not None:
            self.kept_averages.update()

    # data

    def gather(self, data: Any, rows: Array) -> Any:
        """These rows of each tensor of `data`, a tuple such as `(x, y, w)`; None stays None."""
        raise self.lacking("rows of data")

    def fetched(self, values: list[Any]) -> Array:
        """What some updates gave, as an array in float64, with one read of the device."""
        raise self.lacking("many steps at once")

    # what is kept

    @abstractmethod
    def slots(self) -> list[Slot]:
        """What the optimizer keeps, zeros where it has kept nothing yet."""

    def write_parts(self, folder: str) -> frozenset[str]:
        """Write what each process holds a part of, by all of them.

        Returns:
            The names of what was written: of the model, `optimizer.…` and `average.…`.
        """
        raise self.lacking("parts of parameters")

    def read_parts(self, folder: str) -> frozenset[str]:
        """Read what `write_parts` has written, in any number of processes that hold parts."""
        raise self.lacking("parts of parameters")

    def parts_in(self, folder: str) -> list[tuple[str, tuple[int, ...], str, Callable[[], Array]]]:
        """What `write_parts` has written: name, shape, dtype, and what reads the whole array."""
        raise self.lacking("a checkpoint in parts, which another framework has written,")

    @abstractmethod
    def restart_at(self, count: int) -> None:
        """Continue as if that many steps had been done."""

    @abstractmethod
    def set_learning_rate(self, learning_rate: float) -> None:
        """Use another one from now on. The velocities, free of the rate, stay as they are."""

    def averages(self) -> list[Slot]:
        """The running averages of the parameters; none without `average`."""
        return [] if self.kept_averages is None else self.kept_averages.slots()

    def averaged(self) -> AbstractContextManager[Any]:
        """Inside the `with` the model has the averages for parameters.

        Raises:
            ValueError: without `average`.
        """
        if self.kept_averages is None:
            raise ValueError(
                "averaged: a trainer must keep averages of the parameters; got one that keeps "
                "none: make it with average=0.999"
            )
        inside: AbstractContextManager[Any] = self.kept_averages.in_place()
        return inside

    def take_averages(self) -> None:
        """Give the model the averages for parameters, for good; without `average` do nothing."""
        if self.kept_averages is not None:
            self.kept_averages.take()
