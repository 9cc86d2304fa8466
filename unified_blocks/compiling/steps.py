"""The ways to run the step of a `Trainer`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from unified_blocks.backend.tensors import numbers_of
from unified_blocks.compiling.figures import Figure, timed
from unified_blocks.models.state import load_state, state
from unified_blocks.reference.rows import Row, compared
from unified_blocks.training.data.batches import first_of
from unified_blocks.training.trainer import Trainer
from unified_blocks.types import Array, State

STEPS = 3
"""How many steps each way has to do as the first does them."""
RANDOM = "not compared: the step gives other numbers each time"

Path = tuple[list[tuple[Array, str]], State]
"""The losses of some steps with their dtypes, and the numbers of the model after them."""


def measured(trainer: Trainer, x: Any, y: Any) -> list[Figure]:
    """What was found about each kind of step. Numbers and kind are put back.

    Each starts from the same numbers; its losses, and the model's numbers after it, have to be
    those of the first, under the policy for numbers after several steps. A step that draws random
    numbers (one with dropout) takes another path each time, and cannot be compared.
    """
    step, before = trainer.training_step, (state(trainer.net), state(trainer))
    w = ones(trainer, x) if step.options.weighted else None
    batch: tuple[Any, ...] = (x, y) if w is None else (x, y, w)
    if step.options.scheduled:
        batch = (x, y, w, trainer.learning_rate)

    def restart() -> None:
        load_state(trainer.net, before[0])
        load_state(trainer, before[1])

    def path(kind: str) -> Path:
        restart()
        step.use(kind)
        losses = [numbers_of(trainer.backend, step(*batch)) for _ in range(STEPS)]
        return losses, state(trainer.net)

    def call(kind: str) -> Any:
        step.use(kind)
        return step(*batch)

    first, *others = step.kinds
    figures = [Figure(first)]
    try:
        expected = path(first)
        if Figure.judged(first, rows(expected, path(first))).obstacle:
            return [*figures, *(Figure(kind, obstacle=RANDOM) for kind in others)]
        for kind in others:
            try:
                figures.append(Figure.judged(kind, rows(expected, path(kind))))
            except Exception as error:  # compilers raise anything, and all of it is shown
                figures.append(Figure.failed(kind, error))
        restart()
        calls = {kind: (lambda kind=kind: call(kind)) for kind in step.kinds}
        return timed(figures, calls, trainer.backend)
    finally:
        step.use(first)
        restart()


def ones(trainer: Trainer, x: Any) -> Any:
    """A weight of 1 for each sample."""
    return trainer.backend.from_numpy(np.ones(len(first_of(x)), "float32"), trainer.device)


def rows(expected: Path, found: Path) -> Iterator[Row]:
    for (a, dtype), (b, other) in zip(expected[0], found[0], strict=True):
        yield compared("loss", "loss", a, b, "trained", (dtype, other))
    for name, array in expected[1].items():
        yield compared(name, "parameter", array, found[1][name], "trained")
