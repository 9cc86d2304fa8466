"""`Checkpoint`: keeps a training in a folder, from which it goes on."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np

from unified_blocks.backend import TrainingStep
from unified_blocks.errors import FileFormatError, UnsupportedError
from unified_blocks.formats import safetensors
from unified_blocks.formats.stored import Stored
from unified_blocks.models.variables import stored_of
from unified_blocks.training.callbacks import Callback, Run
from unified_blocks.training.runs.sharing import of_the_first
from unified_blocks.training.runs.state import ROLE, VERSION, WHAT, Captured, frozen_of
from unified_blocks.version import __version__

FILE = "checkpoint.safetensors"
"""The file in the folder that has all of a training."""
PARTS = ("parts-a", "parts-b")
"""The folders in the folder that have what processes hold in parts, one of them at a time."""
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
        parts: whether processes that each hold a part of the parameters, `distributed="fsdp"`,
            write their parts themselves, by PyTorch's distributed checkpoints, on a disk that all
            see. No process then needs room for all. It goes on in any number of processes of
            PyTorch, in one too. Without, the first process writes all to the one file.

    Raises:
        ValueError: another `every`.
        UnsupportedError: (a `TypeError`) when training begins, and the model has a layer of a kind
            that this library does not know, or a dtype that NumPy lacks; at the first save, when a
            callback keeps what a file cannot.
        NotADirectoryError: when training begins, and `folder` is a file.
        StateMismatchError: (a `ValueError`) when training begins, and the one in the folder began
            otherwise: with another model, optimizer, loss, seed, batch size, number of samples,
            clip, group, precision, or with weights. Functions are told apart by their names alone.
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
        self,
        folder: str | PathLike[str],
        every: Literal["epoch"] | int = "epoch",
        *,
        parts: bool = False,
    ) -> None:
        whole = isinstance(every, (int, np.integer)) and not isinstance(every, bool)
        if every != "epoch" and not (whole and every >= 1):
            raise ValueError(
                'Checkpoint: every must be "epoch" or a number of updates, at least 1; got '
                f'every={every!r}: write every="epoch"'
            )
        self.folder = Path(folder)
        self.every = "epoch" if isinstance(every, str) else int(every)
        self.file = self.folder / FILE
        self.parts, self.kept_in = parts, PARTS[1]
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
        step = run.trainer.training_step
        group = step.options.group
        if self.parts and (group is None or not group.sharded):
            raise UnsupportedError(
                "Checkpoint: with parts=True each process must hold a part of the parameters; got "
                f"a {type(run.net).__name__} of which it holds all: leave it out, or give "
                'distributed="fsdp" to ub.fit'
            )
        with of_the_first(group, self.file) as file:
            if file is not None:
                run.restore(self.read(file, step))

    def step(self, run: Run) -> None:
        self.save(run)
        run.sow(run.updates)

    def epoch(self, run: Run) -> None:
        self.save(run)

    def save(self, run: Run) -> None:
        """Write all of a training, by the first of its processes."""
        captured: Captured = run.capture()
        group = run.trainer.training_step.options.group
        if self.parts:
            self.save_parts(captured, run)
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
        for name in PARTS:  # the file names the new ones now, or none
            if not (self.parts and name == self.kept_in):
                shutil.rmtree(self.folder / name, ignore_errors=True)

    def save_parts(self, captured: Captured, run: Run) -> None:
        """Write what the processes hold in parts, beside what the file still names."""
        self.kept_in = PARTS[self.kept_in == PARTS[0]]
        if run.is_writer:  # nobody writes before the first process does
            shutil.rmtree(self.folder / self.kept_in, ignore_errors=True)
        written = run.trainer.training_step.write_parts(str(self.folder / self.kept_in))
        for name in written:
            del captured.arrays[name]
        captured.metadata["parts"] = self.kept_in

    def read(self, path: Path, step: TrainingStep) -> Captured:
        """What is in the file, or in a copy of it, and in the parts that it names.

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
        found = Captured(dict(file.tensors), kept)
        if name := kept.get("parts"):
            self.kept_in = name
            self.add_parts(found, step)
        return found

    def add_parts(self, captured: Captured, step: TrainingStep) -> None:
        """Add what the processes held in parts.

        Raises:
            FileNotFoundError: when this process does not see them.
        """
        folder = self.folder / self.kept_in
        if not folder.is_dir():
            raise FileNotFoundError(
                f"{folder} must be on a disk that each process sees, for {self.file} names it; got "
                "none: give that disk's path to ub.Checkpoint"
            )
        captured.parts = str(folder)
        scales = captured.metadata["scales"]
        for name, shape, dtype, read in step.parts_in(captured.parts):
            role = ROLE if name in scales else None
            captured.add(Stored(name, shape, dtype, read, role))
