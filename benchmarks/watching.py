"""What an epoch of `ub.fit` with a metric and a validation set costs, over one written by hand.

Both train the same MLP on the same samples, measure the accuracy of each batch, and the loss and
the accuracy of other samples when the epoch ends. Beside it: `ub.predict`, over a loop by hand, and
each loop by hand over a second one, which says how far to trust the first ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import unified_blocks as ub
from benchmarks.cells import Cell, Effort
from benchmarks.clock import in_turn
from benchmarks.loops import OPTIONS, loop_of
from benchmarks.subjects import NATIVE
from benchmarks.training import CLASSES, FEATURES, Work, data, orders
from unified_blocks.compiling.timing import ratio
from unified_blocks.reference.policy import deviation
from unified_blocks.training.data.sources import source_of
from unified_blocks.training.loop import Loop
from unified_blocks.training.validation import validating
from unified_blocks.training.watching.metrics import metrics_meant
from unified_blocks.types import Array

FIT, PREDICT, BY_HAND = "fit, watched", "predict", "by hand"
BATCHES = 16
"""How many batches there are to predict."""


@dataclass(frozen=True)
class Watched(Work):
    """An MLP that is watched while it trains."""

    def others(self) -> list[Any]:
        """What it is validated on: as many samples again as a fifth of those."""
        backend = ub.get_backend(self.framework)
        return [backend.from_numpy(array[: len(array) // 5]) for array in data()]

    def fit(self) -> Callable[[], Any]:
        """An epoch of `ub.fit`."""
        metrics = metrics_meant(["accuracy"])
        optimizer = getattr(ub, self.optimizer)(self.rate, **OPTIONS[self.optimizer])
        net, (x, y) = self.net(ours=True), self.tensors()
        trainer = ub.Trainer(net, optimizer, "cross_entropy", metrics=metrics)
        source = source_of(trainer.backend, trainer.device, x, y, batch_size=self.batch)
        validate = validating(trainer, self.others(), metrics)
        loop = Loop(trainer, source, epochs=1, validate=validate, metrics=metrics, progress=False)

        def epoch() -> list[float]:
            loop.epoch()
            history = loop.history
            found = history.to_dict()
            return [found[name][-1] for name in ("loss", "accuracy", *VALIDATED)]

        return epoch

    def by_hand(self, net: Any = None) -> Callable[[], Any]:
        net = net or self.net()
        loop = loop_of(self.framework).watched_epoch_of
        settings = (self.batch, self.optimizer, self.rate, orders())
        epoch: Callable[[], Any] = loop(net, *self.tensors(), self.others(), *settings)
        return epoch

    def predict(self) -> Callable[[], Any]:
        net, x = self.net(ours=True), self.inputs()
        return lambda: ub.predict(net, x, batch_size=self.batch)

    def predict_by_hand(self) -> Callable[[], Any]:
        outputs: Callable[[], Any] = loop_of(self.framework).outputs_of(
            self.net(), self.inputs(), self.batch
        )
        return outputs

    def inputs(self) -> Any:
        x = np.resize(data()[0], (BATCHES * self.batch, FEATURES))
        return ub.get_backend(self.framework).from_numpy(x)


VALIDATED = ("validation_loss", "validation_accuracy")


def measure(framework: str, effort: Effort) -> list[Cell]:
    check(framework)
    cells = []
    for units, batch in ((256, 32), (1024, 256)):
        work = Watched(framework, units, batch)
        others = {"what": f"MLP {FEATURES}-{units}-{CLASSES}", "setting": {"batch": batch}}
        fits = [work.by_hand(), work.fit(), work.by_hand()]
        cells += compared(framework, FIT, fits, NATIVE, effort, others)
        predicts = [work.predict_by_hand(), work.predict(), work.predict_by_hand()]
        cells += compared(framework, PREDICT, predicts, None, effort, others)
    return cells


def compared(
    framework: str,
    name: str,
    calls: list[Callable[[], Any]],
    target: float | None,
    effort: Effort,
    others: dict[str, Any],
) -> list[Cell]:
    """Ours, the second, over one by hand, the first, and a second by hand, the third, over it."""
    times = in_turn(calls, effort, ub.get_backend(framework).finish, precisely=True)
    reference, ours, again = times.T
    label = f"{name} {BY_HAND}"
    return [
        Cell.seconds(measure=label, times=reference, **others),
        Cell.ratio(
            measure=f"{name} / {BY_HAND}", ratio=ratio(ours, reference), target=target, **others
        ),
        Cell.ratio(measure=f"{label} / {BY_HAND}", ratio=ratio(again, reference), **others),
    ]


def check(framework: str) -> None:
    """Assert that ours and those by hand tell the same."""
    work = Watched(framework, 16, 32, rate=0.125)
    for ours, by_hand, what in (
        (work.fit(), work.by_hand(), "watch"),
        (work.predict(), work.predict_by_hand(), "predict"),
    ):
        found, wanted = (array_of(call()) for call in (ours, by_hand))
        if not deviation(found, wanted, "float32", "trained").ok:
            raise AssertionError(f"{framework}: fit and the loop by hand {what} different numbers")


def array_of(numbers: Any) -> Array:
    return np.asarray(numbers, "float32")
