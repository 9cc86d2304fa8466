"""`TensorBoard`: curves in the files that TensorBoard reads."""

from __future__ import annotations

from os import PathLike

from unified_blocks.errors import UnsupportedError
from unified_blocks.training.callbacks import Callback


class TensorBoard(Callback):
    """Writes losses, metrics and the learning rate to TensorBoard's event files.

    The framework's own writer does it: `torch.utils.tensorboard.SummaryWriter`, `tf.summary`.

    Args:
        folder: where the files go.

    Raises:
        UnsupportedError: always, in this version.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        raise UnsupportedError(
            "TensorBoard: this version has no rule for event files; got "
            f"folder={str(folder)!r}: use the curves of the ub.History that fit gives"
        )
