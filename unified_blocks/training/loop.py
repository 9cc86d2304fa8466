"""`Loop`: epochs of a training, and what is done after each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from unified_blocks.errors import UnsupportedError
from unified_blocks.training.callbacks import Callback, Run
from unified_blocks.training.data.source import Source
from unified_blocks.training.history import History
from unified_blocks.training.trainer import Trainer
from unified_blocks.training.watching.evaluate import loss_on
from unified_blocks.training.watching.progress import progress_bar


class Loop:
    """Trains epoch by epoch.

    An epoch of which nobody looks at the steps is one call of the framework's loop.

    Args:
        trainer: does the updates.
        source: gives the batches.
        epochs: how many.
        validation: `(x, y)` to measure the loss on after each epoch; None for none.
        callbacks: what is called, in this order.
        progress: whether to draw a bar.

    Raises:
        UnsupportedError: in this version, a callback that has `step`.
    """

    def __init__(
        self,
        trainer: Trainer,
        source: Source,
        *,
        epochs: int,
        validation: tuple[Any, Any] | None = None,
        callbacks: Sequence[Callback] = (),
        progress: bool = True,
    ) -> None:
        for callback in callbacks:
            if type(callback).step is not Callback.step:
                raise UnsupportedError(
                    "fit: a callback must have no `step`, because this version has no rule for "
                    f"it; got a {type(callback).__name__}: use its `epoch`"
                )
        self.trainer, self.source, self.validation = trainer, source, validation
        self.callbacks, self.progress = tuple(callbacks), progress
        self.history = History()
        self.run_seen = Run(trainer, self.history, epochs=epochs, steps_per_epoch=source.steps)

    def run(self) -> History:
        """Do all epochs, unless a callback stops it."""
        run = self.run_seen
        with progress_bar(run.epochs, self.progress) as bars:
            self.callbacks += bars
            for callback in self.callbacks:
                callback.begin(run)
            while run.epoch < run.epochs and run.stopped is None:
                self.epoch()
                for callback in self.callbacks:
                    callback.epoch(run)
            for callback in self.callbacks:
                callback.end(run)
        return self.history

    def epoch(self) -> None:
        """Do one epoch, and measure what it came to."""
        began, run, history = time.perf_counter(), self.run_seen, self.history
        run.epoch += 1
        self.source.begin(run.epoch)
        losses, masses = self.source.take(self.trainer.training_step)
        run.updates += len(losses)
        history.loss.append(float(np.average(losses, weights=masses)))
        if self.validation is not None:
            x, y = self.validation
            loss = loss_on(self.trainer.net, x, y, loss=self.trainer.loss)
            history.validation_loss.append(loss)
        history.learning_rate.append(self.trainer.learning_rate)
        history.seconds.append(time.perf_counter() - began)
        loss_of_all = np.array(history.loss[-1:])
        run.see(lambda: loss_of_all)
