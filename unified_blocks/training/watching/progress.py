"""Bars that show how far something is; only in a terminal, and where Rich is installed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from unified_blocks.training.callbacks import Callback, Run
from unified_blocks.training.data.batches import tensors_in
from unified_blocks.training.data.stream import is_loader
from unified_blocks.training.history import History

OFTEN = 0.1
"""Seconds from one drawing to the next."""
SHORT = 1.0
"""Seconds of an epoch of which only the end is shown, so that nothing slows it down."""

Draw = Callable[[float, str, str], None]
"""What draws a bar: how much is done, which part that is, and more about it."""


@contextmanager
def drawing(what: str, total: float | None, wanted: bool) -> Iterator[Draw | None]:
    """A function that draws a bar on the standard error; None without a terminal or Rich.

    The bar moves at most ten times a second. It shows the time that is left when `total` is known.
    """
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
    except ImportError:  # Rich is an extra: without it there is no bar
        yield None
        return
    columns = (
        *(TextColumn("{task.description} {task.fields[part]}"), BarColumn(bar_width=20)),
        *(TextColumn("{task.fields[words]}"), TimeElapsedColumn(), "left", TimeRemainingColumn()),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, refresh_per_second=10) as progress:
        task = progress.add_task(what, total=total, part="", words="")
        yield lambda done, part, words: progress.update(
            task, completed=done, part=part, words=words
        )


class Bar(Callback):
    """Draws how far a training is: loss, metrics and learning rate of the last update or epoch.

    Epochs that take less than a second are drawn when they end, and run as they do without a bar.
    In the others the updates are looked at, ten times a second.
    """

    def __init__(self, draw: Draw, clock: Callable[[], float] = time.monotonic) -> None:
        self.draw, self.clock = draw, clock
        self.drawn = self.began = clock()
        self.looked = 0

    def begin(self, run: Run) -> None:
        self.drawn = self.began = self.clock()
        self.looked = run.updates
        self.show(run, 0.0, {})

    def step(self, run: Run) -> None:
        now = self.clock()
        passed, updates = now - self.drawn, max(1, run.updates - self.looked)
        self.every = max(1, round(updates * OFTEN / passed)) if passed else 2 * updates
        if passed >= OFTEN / 2:
            self.drawn, self.looked = now, run.updates
            done = run.updates / run.steps_per_epoch if run.steps_per_epoch else 0.0
            part = min(1.0, max(0.0, done - (run.epoch - 1)))
            self.show(run, part, {"loss": run.loss, **run.metrics})

    def epoch(self, run: Run) -> None:
        now = self.clock()
        self.every = "epoch" if now - self.began < SHORT else 1
        self.began = self.drawn = now
        self.looked = run.updates
        self.show(run, 1.0, last_of(run.history))

    def show(self, run: Run, part: float, numbers: Mapping[str, float]) -> None:
        """Draw that this part of the epoch is done."""
        numbers = {**numbers, "learning_rate": numbers.get("learning_rate", self.rate_of(run))}
        words = "  ".join(f"{name.replace('_', ' ')} {x:.4g}" for name, x in numbers.items())
        self.draw(max(0, run.epoch - 1) + part, f"{max(1, run.epoch)}/{run.epochs}", words)

    def rate_of(self, run: Run) -> float:
        """The learning rate of the last epoch, or that of the trainer before the first one."""
        rates = run.history.learning_rate
        rate: float = rates[-1] if rates else run.trainer.learning_rate
        return rate


@contextmanager
def progress_bar(epochs: int, wanted: bool) -> Iterator[tuple[Callback, ...]]:
    """The callback that draws a bar of so many epochs, in a terminal; else none."""
    with drawing("epoch", epochs, wanted) as draw:
        yield () if draw is None else (Bar(draw),)


@contextmanager
def samples_bar(what: str, x: Any, wanted: bool) -> Iterator[Callable[[int], None]]:
    """A function to call with how many more samples of `x` are done."""
    first = None if is_loader(x) else next(tensors_in(x), None)
    total = len(first) if first is not None and hasattr(first, "shape") else None
    done = 0
    with drawing(what, total, wanted) as draw:
        if draw is None:
            yield lambda samples: None
            return

        def more(samples: int) -> None:
            nonlocal done
            done += samples
            draw(done, f"{done}/{total or '?'}", "")

        yield more


def last_of(history: History) -> dict[str, float]:
    """The numbers of the last epoch by name, but for how long it took."""
    return {name: values[-1] for name, values in history.curves.items() if name != "seconds"}
