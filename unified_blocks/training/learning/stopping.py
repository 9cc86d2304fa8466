"""`EarlyStopping`: a training ends when it no longer improves."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from unified_blocks.models.state import load_state, state
from unified_blocks.training.callbacks import Callback, Run
from unified_blocks.training.history import Mode
from unified_blocks.training.learning.improvement import Improvement
from unified_blocks.types import State


class EarlyStopping(Callback):
    """Stops when more than `patience` epochs in a row have not improved.

    Improved is a value below the best one less `min_delta` (with mode `"max"`, above the best one
    plus `min_delta`); a nan has not.

    Args:
        monitor: the name of a curve of `History`.
        patience: how many epochs in a row may not improve, at least 0.
        min_delta: how much better is better, at least 0.
        mode: `"min"`, `"max"`, or `"auto"`: max for accuracies, else min.
        restore_best: whether the network gets back, at the end, what it was at its best; with
            `average`, what the averages were. A copy of its numbers is kept in the host's memory.

    Raises:
        ValueError: a number outside its range; while it trains, a name of which there is no curve.

    Example::

        x, y = np.ones((8, 3)), np.zeros((8, 2))
        net = ub.initialize(ub.Dense(2, in_units=3, dtype="float64"), 0)
        stopping = ub.EarlyStopping("loss", patience=2, min_delta=1e9)
        history = ub.fit(
            net, x, y, loss="mse", optimizer=ub.SGD(0.1), epochs=50, callbacks=[stopping]
        )
        len(history.loss)  # 4
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        patience: int = 0,
        min_delta: float = 0.0,
        mode: Mode = "auto",
        restore_best: bool = True,
    ) -> None:
        if patience < 0:
            raise ValueError(
                f"EarlyStopping: patience must be at least 0; got patience={patience}: write 0 to "
                "stop at once"
            )
        self.improvement = Improvement("EarlyStopping", monitor, patience, min_delta, mode)
        self.restore_best = restore_best
        self._best: State | None = None
        self._loaded = False

    def begin(self, run: Run) -> None:
        if not self._loaded:
            self.improvement.begin()
            self._best = None
        self._loaded = False

    def epoch(self, run: Run) -> None:
        improvement = self.improvement
        if improvement.see(run.history) and self.restore_best:
            averages = run.trainer.training_step.options.average is not None
            with run.trainer.averaged() if averages else nullcontext():
                self._best = state(run.net)
        if improvement.without > improvement.patience:
            run.stop(
                f"{improvement.monitor} has not improved on {improvement.best:.6g} for "
                f"{improvement.without} epochs"
            )

    def end(self, run: Run) -> None:
        if self._best is not None:
            load_state(run.net, self._best)

    def state(self) -> dict[str, Any]:
        return {**self.improvement.state(), "numbers": self._best}

    def load(self, state: dict[str, Any]) -> None:
        self.improvement.load(state)
        self._best, self._loaded = state["numbers"], True
