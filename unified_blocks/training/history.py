"""`History`: what `fit` saw, as numbers, a table and curves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from unified_blocks.training.plots import draw

VALIDATION = "validation_"
"""What the name of a curve begins with when it is of the validation data."""
ROWS = 20
"""How many epochs, the last ones, a notebook shows."""


Mode = Literal["auto", "min", "max"]
"""Which value of a curve is the best; `"auto"`: of accuracies the largest, else the smallest."""


def largest_is_best(who: str, name: str, mode: Mode) -> bool:
    """Whether the best value of the curve of this name is the largest.

    Raises:
        ValueError: an unknown mode.
    """
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"{who}: mode must be 'auto', 'min' or 'max'; got mode={mode!r}")
    return larger_is_better(name) if mode == "auto" else mode == "max"


def larger_is_better(name: str) -> bool:
    """Whether the best value of this name is the largest: of accuracies, not of losses."""
    name = name.removeprefix(VALIDATION)
    return "accuracy" in name or name.startswith("top_")


@dataclass
class History:
    """What `fit` saw: for each epoch a number in each list.

    `history["validation_accuracy"]` is a curve by its name, whichever list it is in.

    Attributes:
        loss: for each epoch, the mean loss over its samples, each batch before its update.
        validation_loss: for each epoch, the loss on the validation data after it; empty without,
            nan for epochs without when others had some.
        metrics: the curves of the metrics by name, those of the validation data with
            `validation_` before it.
        learning_rate: for each epoch, the optimizer's learning rate at its end.
        seconds: for each epoch, how long it took, in seconds, with its validation.
        stopped: why it ended before the last epoch, in words; None when it did not.

    Example::

        x = np.linspace(-1, 1, 64, dtype="float32").reshape(64, 1)
        history = ub.fit(ub.MLP(16, 1), x, x, loss="mse", optimizer="adam", epochs=3)
        epoch, value = history.best("loss")
        list(history.to_dict())[:2]  # ['epoch', 'loss']
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    stopped: str | None = None

    @property
    def curves(self) -> dict[str, list[float]]:
        """What has values, by name: losses and metrics, then the learning rate and the seconds."""
        found = {
            "loss": self.loss,
            "validation_loss": self.validation_loss,
            **self.metrics,
            "learning_rate": self.learning_rate,
            "seconds": self.seconds,
        }
        return {name: values for name, values in found.items() if values}

    def __getitem__(self, name: str) -> list[float]:
        """A curve by its name.

        Raises:
            KeyError: when there is none of that name.
        """
        if name not in self.curves:
            raise KeyError(
                f"History: the name must be one of {', '.join(self.curves) or 'none'}; got {name!r}"
            )
        return self.curves[name]

    def to_dict(self) -> dict[str, list[float]]:
        """A copy of each curve by its name, with the epochs, from 1, as `"epoch"`."""
        epochs = [float(i + 1) for i in range(len(self.loss))]
        return {"epoch": epochs, **{name: list(values) for name, values in self.curves.items()}}

    def best(self, name: str = "validation_loss", mode: Mode = "auto") -> tuple[int, float]:
        """The epoch, from 1, of the best value of a curve, the first of equal ones, and that value.

        A nan is never the best.

        Args:
            name: of the curve.
            mode: `"min"`, `"max"`, or `"auto"`: max for accuracies, else min.

        Raises:
            KeyError: when there is no curve of that name.
            ValueError: when all its values are nan, or for an unknown mode.
        """
        sign = -1 if largest_is_best("best", name, mode) else 1
        values = [
            (value, i) for i, value in enumerate(self[name], start=1) if not math.isnan(value)
        ]
        if not values:
            raise ValueError(
                f"best: a value of {name!r} must be a number; got nan in each of "
                f"{len(self[name])} epochs"
            )
        value, epoch = min(values, key=lambda pair: sign * pair[0])
        return epoch, value

    def add_validation(self, found: dict[str, float]) -> None:
        """Add what was measured on validation data after the last epoch.

        An epoch without has nan: there are such ones when a training goes on with validation data,
        and began without, or the other way round.
        """
        before = len(self.loss) - 1
        values = {VALIDATION + name: value for name, value in found.items()}
        curves = {name: self.metrics[name] for name in self.metrics if name.startswith(VALIDATION)}
        if self.validation_loss:
            curves[VALIDATION + "loss"] = self.validation_loss
        for name in {**curves, **values}:
            own = name == VALIDATION + "loss"
            curve = self.validation_loss if own else self.metrics.setdefault(name, [])
            curve += [math.nan] * (before - len(curve))
            curve.append(values.get(name, math.nan))

    def plot(self, axes: Any = None) -> list[Any]:
        """Draw each curve over the epochs, that of the validation data beside its own.

        Args:
            axes: Matplotlib's axes, one for each quantity (the loss, then each metric), or one for
                all; left out, a new figure has them side by side.

        Returns:
            The axes.

        Raises:
            ImportError: without Matplotlib, when a figure is to be made.
            ValueError: another number of axes.
        """
        shown = {"loss": self.loss, "validation_loss": self.validation_loss, **self.metrics}
        quantities: dict[str, dict[str, list[float]]] = {}
        for name, values in shown.items():
            if values:
                quantities.setdefault(name.removeprefix(VALIDATION), {})[name] = values
        return draw(quantities, axes)

    def _repr_html_(self) -> str:
        """A table, as a notebook shows it."""
        table = self.to_dict()
        heads = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in table)
        first = max(0, len(self.loss) - ROWS)
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td>{values[i]:.6g}</td>" if i < len(values) else "<td></td>"
                for values in table.values()
            )
            + "</tr>"
            for i in range(first, len(self.loss))
        )
        words = f"the last {ROWS} of {len(self.loss)} epochs" if first else ""
        words += f"{'; ' if words else ''}stopped: {self.stopped}" if self.stopped else ""
        caption = f"<caption>{escape(words)}</caption>" if words else ""
        return f"<table>{caption}<tr>{heads}</tr>{rows}</table>"
