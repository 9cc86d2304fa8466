"""Whether a curve of a training improves."""

from __future__ import annotations

import math
from typing import Any

from unified_blocks.training.history import History, Mode, largest_is_best


class Improvement:
    """The best value of a curve so far, and for how many epochs in a row it has not improved.

    Improved is a value below the best one less `min_delta`; where the largest is the best, above
    the best one plus `min_delta`. A nan has not improved.

    Args:
        who: the callback, for messages.
        monitor: the name of a curve of `History`.
        patience: how many epochs in a row may not improve.
        min_delta: how much better is better, at least 0.
        mode: `"min"`, `"max"`, or `"auto"`: max for accuracies, else min.

    Raises:
        ValueError: a number outside its range, or an unknown mode.
    """

    def __init__(
        self, who: str, monitor: str, patience: int, min_delta: float, mode: Mode = "auto"
    ) -> None:
        if not min_delta >= 0:
            raise ValueError(f"{who}: min_delta must be at least 0; got min_delta={min_delta}")
        self.who, self.monitor, self.patience, self.min_delta = who, monitor, patience, min_delta
        self.sign = -1.0 if largest_is_best(who, monitor, mode) else 1.0
        self.begin()

    def begin(self) -> None:
        """Forget what was."""
        self.best, self.without = self.sign * math.inf, 0

    def see(self, history: History) -> bool:
        """Take the last value of the curve. Whether it has improved.

        Raises:
            ValueError: when there is no curve of that name.
        """
        curves = history.curves
        if self.monitor not in curves:
            raise ValueError(
                f"{self.who}: monitor must be one of the curves, {', '.join(curves)}; got "
                f"{self.monitor!r}: give fit validation data or metrics, or write monitor='loss'"
            )
        value = curves[self.monitor][-1]
        improved = self.sign * value < self.sign * self.best - self.min_delta
        if improved:
            self.best, self.without = value, 0
        else:
            self.without += 1
        return improved

    def state(self) -> dict[str, Any]:
        return {"best": self.best, "without": self.without}

    def load(self, state: dict[str, Any]) -> None:
        self.best, self.without = state["best"], state["without"]
