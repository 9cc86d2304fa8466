"""`Loop`: epochs of a training, and what is done after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext

import numpy as np

from unified_blocks.training.callbacks import Callback, Run
from unified_blocks.training.data.source import Source
from unified_blocks.training.history import History
from unified_blocks.training.learning.plateau import ReduceOnPlateau
from unified_blocks.training.learning.schedules import rates
from unified_blocks.training.learning.stopping import EarlyStopping
from unified_blocks.training.runs.checkpoint import Checkpoint
from unified_blocks.training.runs.seeds import seed_at, sow
from unified_blocks.training.runs.state import capture, restore
from unified_blocks.training.trainer import Trainer
from unified_blocks.training.watching.metrics import Metric
from unified_blocks.training.watching.progress import progress_bar
from unified_blocks.types import Array

EARLY = (ReduceOnPlateau, EarlyStopping)
"""The callbacks that come before the user's own, in this order; a `Checkpoint` comes last."""


class Loop:
    """Trains epoch by epoch.

    An epoch of which nobody looks at the updates is one call of the framework's loop. Otherwise the
    updates are called one by one, and what they give is still fetched once, at the epoch's end.

    Args:
        trainer: does the updates.
        source: gives the batches.
        epochs: how many.
        validate: measures `{"loss": …}` and the metrics on other data after each epoch; None for
            nothing.
        metrics: what the updates give besides their losses.
        callbacks: what is called, in this order: `ReduceOnPlateau`, `EarlyStopping`, the user's in
            theirs, and a `Checkpoint` last, for it keeps what the others have decided.
        schedule: a factor on the learning rate of each update, counted in updates.
        seed: of what is random in a training that can go on from a checkpoint.
        progress: whether to draw a bar.
    """

    def __init__(
        self,
        trainer: Trainer,
        source: Source,
        *,
        epochs: int,
        validate: Callable[[], dict[str, float]] | None = None,
        metrics: Sequence[Metric] = (),
        callbacks: Sequence[Callback] = (),
        schedule: Callable[[int], float] | None = None,
        seed: int = 0,
        progress: bool = True,
    ) -> None:
        self.trainer, self.source, self.validate = trainer, source, validate
        self.schedule, self.seed, self.progress = schedule, seed, progress
        self.callbacks = sorted(callbacks, key=_place)
        self.can_go_on = any(isinstance(callback, Checkpoint) for callback in callbacks)
        self.step = trainer.training_step
        self.group = self.step.options.group
        self.history = History()
        self.run_seen = Run(
            trainer,
            self.history,
            epochs=epochs,
            steps_per_epoch=source.steps,
            metrics=[metric.name for metric in metrics],
            is_writer=self.group is None or self.group.rank == 0,
            fetch=self.step.fetched,
            seed=seed,
            sow=self.sow,
            capture=lambda: capture(*self.whole()),
            restore=lambda captured: restore(captured, *self.whole()),
        )

    def whole(self) -> tuple[Trainer, Source, Sequence[Callback], History, Run]:
        """What a training consists of."""
        return self.trainer, self.source, self.callbacks, self.history, self.run_seen

    def run(self) -> History:
        """Do all epochs, unless a callback stops it."""
        run = self.run_seen
        try:
            shown = progress_bar(run.epochs, self.progress and run.is_writer)
            with self.guarding(), shown as bars, ExitStack() as closing:
                self.callbacks = sorted([*self.callbacks, *bars], key=_place)
                # A checkpoint comes first here, so that the others see what was loaded.
                for callback in sorted(self.callbacks, key=lambda c: not isinstance(c, Checkpoint)):
                    closing.callback(callback.close)
                    callback.begin(run)
                while run.masses or (run.stopped is None and run.epoch < run.epochs):
                    self.epoch()
                    for callback in self.callbacks:
                        callback.epoch(run)
                self.step.take_averages()
                if self.group is not None:  # of a BatchNorm each has its own statistics
                    self.group.agree(self.trainer.net)
                for callback in self.callbacks:
                    callback.end(run)
        finally:
            self.sow(None)
        return self.history

    def guarding(self) -> AbstractContextManager[None]:
        """Around all that needs the other workers."""
        return nullcontext() if self.group is None else self.group.guarding()

    def epoch(self) -> None:
        """Do one epoch, or what is left of one, and measure what it came to."""
        began, run, history = time.perf_counter(), self.run_seen, self.history
        done = len(run.masses)
        run.epoch += not done
        self.sow(run.updates - done)
        self.source.begin(run.epoch, done)
        if done:
            self.sow(run.updates)
        self.updates()
        self.trainer.updates = run.updates
        values, masses = run.so_far()
        if not masses:
            raise ValueError(
                "fit: each epoch must have a batch at least; got none in epoch "
                f"{run.epoch}: give a function that makes a new iterator for each"
            )
        run.forget()
        means = np.atleast_1d(np.average(values, axis=0, weights=masses if sum(masses) else None))
        history.loss.append(float(means[0]))
        for name, mean in zip(run.names, means[1:], strict=True):
            history.metrics.setdefault(name, []).append(float(mean))
        self.measure()
        history.learning_rate.append(float(self.rates(1, run.updates - 1)[0]))
        history.seconds.append(time.perf_counter() - began)
        run.see(lambda: means)

    def updates(self) -> None:
        """Do the updates that are left of an epoch, and call who looks at them."""
        run, source = self.run_seen, self.source
        lookers = [c for c in self.callbacks if type(c).step is not Callback.step]
        lookers = [c for c in lookers if c.every != "epoch"]
        if not lookers and self.schedule is None:
            run.add(*source.take(self.step))
            return
        if not lookers and source.fixed:
            left = source.steps - len(run.masses)
            run.add(*source.take(self.step, left, self.rates(left, run.updates)))
            return
        history, step = self.history, self.step
        rate = None if self.schedule is None else lambda: float(self.rates(1, run.updates)[0])
        with step.running():
            for value, mass in () if history.stopped is not None else source.each(step, rate):
                run.add_one(value, mass)
                for callback in lookers:
                    if callback.every == 1 or is_due(callback, run.updates):
                        callback.step(run)
                if history.stopped is not None:
                    break

    def rates(self, count: int, first: int) -> Array:
        """The learning rates of so many updates, from the one of this number on."""
        rate = self.trainer.learning_rate
        if self.schedule is None:
            return np.full(count, rate)
        return rates(self.schedule, rate, first, count)

    def measure(self) -> None:
        """Measure on the validation data, with the averages of the parameters if there are any."""
        found: dict[str, float] = {}
        if self.validate is not None:
            averaged = self.step.options.average is not None
            with self.trainer.averaged() if averaged else nullcontext():
                found = self.of_the_first(self.validate())
        self.history.add_validation(found)

    def of_the_first(self, found: dict[str, float]) -> dict[str, float]:
        """What the first process measured, for all: the others' BatchNorm has other statistics."""
        if self.group is None or self.group.processes == 1:
            return found
        numbers = np.array(list(found.values()))
        first = self.group.sum(numbers if self.group.rank == 0 else np.zeros_like(numbers))
        return dict(zip(found, first.tolist(), strict=True))

    def sow(self, updates: int | None) -> None:
        """Seed what is random, so that a training that is cut here goes on as it would have.

        None ends it.
        """
        if not self.can_go_on:
            return
        rank = 0 if self.group is None else self.group.rank
        seed = None if updates is None else seed_at(self.seed, updates, rank)
        trainer, loader = self.trainer, getattr(self.source, "given", None)
        sow(trainer.backend, trainer.net, loader, seed)


def is_due(callback: Callback, updates: int) -> bool:
    """Whether `callback.step` is called after so many updates.

    Raises:
        ValueError: when `every` is no number of updates.
    """
    every = callback.every
    if not isinstance(every, (int, np.integer)):
        if every == "epoch":
            return False
    elif every > 0:
        return updates % every == 0
    raise ValueError(
        f"fit: every of a {type(callback).__name__} must be a number of updates, at least 1, or "
        f"'epoch'; got every={every!r}: write every = 1"
    )


def _place(callback: Callback) -> int:
    """Where a callback comes among the others."""
    if isinstance(callback, Checkpoint):
        return len(EARLY) + 1
    return next((i for i, kind in enumerate(EARLY) if isinstance(callback, kind)), len(EARLY))
