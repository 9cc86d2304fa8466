"""`Checkpoint`: keeps a training in a folder, from which it goes on."""

from __future__ import annotations

from os import PathLike
from typing import Literal

from unified_blocks.errors import UnsupportedError
from unified_blocks.training.callbacks import Callback

FILE = "checkpoint.safetensors"
"""The file in the folder that has all of a training."""


class Checkpoint(Callback):
    """Writes all of a training to a folder, and goes on from what is there.

    Args:
        folder: of this training alone; it is made when it is not there.
        every: `"epoch"`, or after how many updates, at least 1.

    Raises:
        UnsupportedError: always, in this version.
    """

    def __init__(
        self, folder: str | PathLike[str], every: Literal["epoch"] | int = "epoch"
    ) -> None:
        raise UnsupportedError(
            "Checkpoint: this version has no rule for it; got "
            f"folder={str(folder)!r}: call ub.save(run.net, path) in a ub.Callback"
        )
