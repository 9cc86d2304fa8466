"""`ReduceOnPlateau`: the learning rate becomes smaller when nothing improves."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.training.callbacks import Callback


class ReduceOnPlateau(Callback):
    """After `patience` epochs in a row that did not improve, `lr = max(lr · factor, floor · lr₀)`.

    `lr₀` is the rate at the beginning. Improved is a value below the best one less `min_delta`;
    for accuracies, above the best one plus `min_delta`. The count of epochs then begins again.

    Args:
        monitor: the name of a curve of `History`.
        factor: in (0, 1).
        patience: at least 1.
        min_delta: how much better is better, at least 0.
        floor: in [0, 1], of the rate at the beginning.

    Raises:
        UnsupportedError: always, in this version.
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 0.0,
        floor: float = 0.0,
    ) -> None:
        raise UnsupportedError(
            "ReduceOnPlateau: this version has no rule for it; got "
            f"monitor={monitor!r}: set run.trainer.learning_rate in a ub.Callback"
        )
