"""What an epoch of `ub.fit` on a loader costs, compared with a loop over it by hand.

The loader is the framework's own, of tensors that are in memory, in their order. Both train the
same MLP. Beside it: a second loop by hand, which says how far to trust the first ratio; and an
epoch of nothing but the loader, which says how much of it is the loader's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import unified_blocks as ub
from benchmarks.cells import Cell, Effort
from benchmarks.clock import in_turn
from benchmarks.loops import loop_of
from benchmarks.subjects import NATIVE
from benchmarks.training import BY_HAND, CLASSES, FEATURES, FIT, Work, data
from unified_blocks.compiling.timing import ratio
from unified_blocks.reference.policy import deviation
from unified_blocks.training.data.stream import Stream

LOADER = "the loader alone"


def loader_for(work: Work) -> Any:
    return loop_of(work.framework).loader_of(*data(), work.batch)


def by_hand(work: Work, net: Any = None) -> Callable[[], Any]:
    """An epoch by hand."""
    make = loop_of(work.framework).loaded_epoch_of
    epoch: Callable[[], Any] = make(net or work.net(), loader_for(work), work.optimizer, work.rate)
    return epoch


def fit(work: Work, trainer: ub.Trainer | None = None) -> Callable[[], Any]:
    """An epoch of `fit`, and the mean that it tells."""
    trainer = trainer or work.trainer()
    source = Stream(
        trainer.backend, trainer.device, loader_for(work), epochs=2, loss="cross_entropy"
    )

    def epoch() -> float:
        source.begin(1)
        values, masses = source.take(trainer.training_step)
        return float(np.average(values, weights=masses))

    return epoch


def alone(work: Work) -> Callable[[], Any]:
    loader = loader_for(work)
    return lambda: [None for _ in loader]


def measure(framework: str, effort: Effort) -> list[Cell]:
    check(framework)
    cells = []
    for units, batch in ((256, 32), (1024, 256)):
        work = Work(framework, units, batch)
        others = {"what": f"MLP {FEATURES}-{units}-{CLASSES}", "setting": {"batch": batch}}
        calls = [by_hand(work), fit(work), by_hand(work), alone(work)]
        times = in_turn(calls, effort, ub.get_backend(framework).finish, precisely=True).T
        cells.append(Cell.seconds(measure=BY_HAND, times=times[0], **others))
        for name, seconds, target in (
            (f"{FIT} / {BY_HAND}", times[1], NATIVE),
            (f"{BY_HAND} / {BY_HAND}", times[2], None),
            (f"{LOADER} / {BY_HAND}", times[3], None),
        ):
            found = ratio(seconds, times[0])
            cells.append(Cell.ratio(measure=name, ratio=found, target=target, **others))
    return cells


def check(framework: str) -> None:
    """Assert that an epoch of ours and one by hand give the same loss and the same numbers."""
    work = Work(framework, 16, 32, rate=0.125)
    trainer, net = work.trainer(), work.net()
    told, found = by_hand(work, net)(), fit(work, trainer)()
    if not deviation(np.float64(told), np.float64(found), "float32", "trained").ok:
        raise AssertionError(f"{framework}: fit and the loop by hand give different losses")
    states = (ub.state(each).values() for each in (net, trainer.net))
    for a, b in zip(*states, strict=True):
        if not deviation(b, a, "float32", "trained").ok:
            raise AssertionError(f"{framework}: fit and the loop by hand end at different numbers")
