"""`ReduceOnPlateau`: the learning rate becomes smaller when nothing improves."""

from __future__ import annotations

from typing import Any

from unified_blocks.training.callbacks import Callback, Run
from unified_blocks.training.history import Mode
from unified_blocks.training.learning.improvement import Improvement


class ReduceOnPlateau(Callback):
    """After `patience` epochs in a row that did not improve, `lr = max(lr · factor, floor · lr₀)`.

    `lr₀` is the rate at the beginning. Improved is a value below the best one less `min_delta`
    (with mode `"max"`, above the best one plus `min_delta`); a nan has not. The count of epochs
    then begins again. With a schedule `lr` is the rate that its factors are of.

    Args:
        monitor: the name of a curve of `History`.
        factor: in (0, 1).
        patience: at least 1.
        min_delta: how much better is better, at least 0.
        floor: in [0, 1], of the rate at the beginning.
        mode: `"min"`, `"max"`, or `"auto"`: max for accuracies, else min.

    Raises:
        ValueError: a number outside its range, or an unknown mode; while it trains, a name of
            which there is no curve.

    Example::

        x, y = np.ones((8, 3)), np.zeros((8, 2))
        net = ub.initialize(ub.Dense(2, in_units=3, dtype="float64"), 0)
        plateau = ub.ReduceOnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
        history = ub.fit(
            net, x, y, loss="mse", optimizer=ub.SGD(0.5), epochs=3, callbacks=[plateau]
        )
        history.learning_rate  # [0.5, 0.5, 0.25]
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 0.0,
        floor: float = 0.0,
        mode: Mode = "auto",
    ) -> None:
        for name, rule, kept, got in (
            ("factor", "be in (0, 1)", 0 < factor < 1, factor),
            ("patience", "be at least 1", patience >= 1, patience),
            ("floor", "be in [0, 1]", 0 <= floor <= 1, floor),
        ):
            if not kept:
                raise ValueError(f"ReduceOnPlateau: {name} must {rule}; got {name}={got}")
        self.improvement = Improvement("ReduceOnPlateau", monitor, patience, min_delta, mode)
        self.factor, self.floor = float(factor), float(floor)
        self._first = 0.0
        self._loaded = False

    def begin(self, run: Run) -> None:
        if not self._loaded:
            self.improvement.begin()
            self._first = run.trainer.learning_rate
        self._loaded = False

    def epoch(self, run: Run) -> None:
        improvement, trainer = self.improvement, run.trainer
        improvement.see(run.history)
        if improvement.without >= improvement.patience:
            rate = trainer.learning_rate
            smaller = max(rate * self.factor, self.floor * self._first)
            if smaller < rate:
                trainer.learning_rate = smaller
            improvement.without = 0

    def state(self) -> dict[str, Any]:
        return {**self.improvement.state(), "first": self._first}

    def load(self, state: dict[str, Any]) -> None:
        self.improvement.load(state)
        self._first, self._loaded = state["first"], True
