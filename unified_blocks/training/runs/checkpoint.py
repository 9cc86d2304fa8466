"""`Checkpoint`: keeps a training in a folder, from which it goes on."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np

from unified_blocks.errors import FileFormatError
from unified_blocks.formats import safetensors
from unified_blocks.models.variables import stored_of
from unified_blocks.training.callbacks import Callback, Run
from unified_blocks.training.runs.sharing import of_the_first
from unified_blocks.training.runs.state import VERSION, WHAT, Captured, frozen_of
from unified_blocks.version import __version__

FILE = "checkpoint.safetensors"
"""The file in the folder that has all of a training."""
UNFINISHED = ".????????????????.part"
"""The files that a save which was killed leaves behind."""


class Checkpoint(Callback):
    """Writes all of a training to a folder, and goes on from what is there.

    All is the model, what its optimizer keeps, the averages of its parameters, the learning rate,
    the place in the order of the batches, the history and what the callbacks keep. A training that
    was ended at any moment and is started again by the same program, which names the same folder,
    goes on from its last save, and comes to the same numbers to the last bit as if it had not been
    ended, on the same framework, device and number of threads. It goes on on another framework too.

    `folder/checkpoint.safetensors` is replaced at once: there is always the old file or the new
    one. `ub.load_state(net, ub.read_state(file))` takes the model out of it.

    To come to the same numbers the dropout of a training that is kept is seeded: at the beginning
    of each epoch, and after each save within one.

    Args:
        folder: of this training alone; it is made when it is not there.
        every: `"epoch"`, or after how many updates, at least 1, besides after each epoch.

    Raises:
        ValueError: another `every`.
        UnsupportedError: (a `TypeError`) when training begins, and the model has a layer of a kind
            that this library does not know, or a dtype that NumPy lacks; at the first save, when a
            callback keeps what a file cannot.
        NotADirectoryError: when training begins, and `folder` is a file.
        StateMismatchError: (a `ValueError`) when training begins, and the one in the folder began
            otherwise: with another model, optimizer, loss, seed, batch size or number of samples.
        FileFormatError: (a `ValueError`) when training begins, and the file is damaged, or is none
            of this class.

    Example::

        x = np.linspace(-1, 1, 64, dtype="float32").reshape(64, 1)
        options = {"loss": "mse", "optimizer": ub.Adam(), "epochs": 3}
        net = ub.MLP(16, 1)
        ub.fit(net, x, x, **options, checkpoint=ub.Checkpoint("run", every=1))
        again = ub.fit(ub.MLP(16, 1), x, x, **options, checkpoint="run")  # is done already
        len(again.loss)  # 3
    """

    def __init__(
        self, folder: str | PathLike[str], every: Literal["epoch"] | int = "epoch"
    ) -> None:
        whole = isinstance(every, (int, np.integer)) and not isinstance(every, bool)
        if every != "epoch" and not (whole and every >= 1):
            raise ValueError(
                'Checkpoint: every must be "epoch" or a number of updates, at least 1; got '
                f'every={every!r}: write every="epoch"'
            )
        self.folder, self.every = Path(folder), every
        self.file = self.folder / FILE
        self.given_rate = 0.0

    def begin(self, run: Run) -> None:
        stored_of(run.net, WHAT)  # what cannot be kept is an error now, and not after an epoch
        self.given_rate = run.trainer.learning_rate
        if run.is_writer:
            if self.folder.exists() and not self.folder.is_dir():
                raise NotADirectoryError(
                    f"Checkpoint: folder must be a folder; got the file {self.folder}: give another"
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            for left in self.folder.glob(UNFINISHED):
                left.unlink(missing_ok=True)
        group = run.trainer.training_step.options.group
        with of_the_first(group, self.file) as file:
            if file is not None:
                run.restore(self.read(file))

    def step(self, run: Run) -> None:
        self.save(run)
        run.sow(run.updates)

    def epoch(self, run: Run) -> None:
        self.save(run)

    def end(self, run: Run) -> None:
        run.sow(None)

    def save(self, run: Run) -> None:
        """Write all of a training, by the first of its processes."""
        captured: Captured = run.capture()
        group = run.trainer.training_step.options.group
        if group is not None and group.sharded:  # all processes take part in the reading
            captured.arrays = {
                name: replace(stored, read=partial(np.asarray, stored.read()))
                for name, stored in captured.arrays.items()
            }
        if not run.is_writer:
            return
        captured.metadata["given_rate"] = self.given_rate
        metadata = {
            "format": 1,
            "library": __version__,
            "backend": run.trainer.backend.name,
            "frozen": frozen_of(run.net),
            "run": captured.metadata,
        }
        safetensors.write(self.file, captured.arrays.values(), metadata)

    def read(self, path: Path) -> Captured:
        """What is in the file, or in a copy of it.

        Raises:
            FileFormatError: when it is damaged, or is none of a training.
        """
        file = safetensors.read(path)
        kept = file.own.get("run")
        if kept is None:
            raise FileFormatError(
                f"{self.file} must be a file that ub.Checkpoint wrote; got one without a training: "
                "give another folder, and the numbers in this one to ub.load_state"
            )
        if kept["version"] > VERSION:
            raise FileFormatError(
                f"{self.file} must be of version {VERSION} or before; got {kept['version']}, "
                f"written by unified-blocks {file.own.get('library')}: update unified-blocks"
            )
        return Captured(dict(file.tensors), kept)
