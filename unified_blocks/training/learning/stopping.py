"""`EarlyStopping`: a training ends when it no longer improves."""

from __future__ import annotations

from typing import Literal

from unified_blocks.errors import UnsupportedError
from unified_blocks.training.callbacks import Callback


class EarlyStopping(Callback):
    """Stops when more than `patience` epochs in a row have not improved.

    Improved is a value below the best one less `min_delta` (with mode `"max"`, above the best one
    plus `min_delta`); a nan has not.

    Args:
        monitor: the name of a curve of `History`.
        patience: how many epochs in a row may not improve, at least 0.
        min_delta: how much better is better, at least 0.
        mode: `"min"`, `"max"`, or `"auto"`: max for accuracies, else min.
        restore_best: whether the network gets back, at the end, what it was at its best.

    Raises:
        UnsupportedError: always, in this version.
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        patience: int = 0,
        min_delta: float = 0.0,
        mode: Literal["auto", "min", "max"] = "auto",
        restore_best: bool = True,
    ) -> None:
        raise UnsupportedError(
            "EarlyStopping: this version has no rule for it; got "
            f"monitor={monitor!r}: call run.stop(why) in a ub.Callback"
        )
