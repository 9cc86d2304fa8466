"""What an epoch of `ub.fit` costs, compared with one written by hand for the framework.

Both train the same MLP on the same samples in as many batches, the last a partial one. Beside it:
a second one by hand, which says how far to trust the first ratio; the same loop by hand around
`Trainer.step`; the loop of `fit` with callbacks that do nothing, of which one looks at each update;
and on TensorFlow `keras.Model.fit`. And a step on a small batch with all threads of PyTorch and
with one.
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
from benchmarks.native import RATE, by_hand
from benchmarks.subjects import NATIVE
from unified_blocks.cli.threads import BATCH as SMALL
from unified_blocks.cli.threads import FEATURES as THREADED
from unified_blocks.cli.threads import cost_of_threads
from unified_blocks.compiling.timing import ratio
from unified_blocks.reference.policy import deviation
from unified_blocks.training.data.arrays import Arrays
from unified_blocks.training.loop import Loop
from unified_blocks.types import Array

SAMPLES, FEATURES, CLASSES = 1437, 64, 10
"""As many as the digits of scikit-learn have, of which a fifth is held back."""
FIT, STEP, BY_HAND, KERAS = "fit", "Trainer.step", "by hand", "keras.Model.fit"
CALLED, LOOKED_AT = "fit with callbacks", "fit with a callback at each update"


class Looking(ub.Callback):
    """It looks at each update, and at nothing in it."""

    def step(self, run: ub.Run) -> None:
        pass


@dataclass(frozen=True)
class Work:
    """An MLP of so many hidden units, trained in batches of this size."""

    framework: str
    units: int
    batch: int
    optimizer: str = "SGD"
    rate: float = RATE

    def net(self, ours: bool = False) -> Any:
        """One with the numbers that all have."""
        make = ub.MLP.on(self.framework)
        net = ub.initialize(make(self.units, CLASSES, in_units=FEATURES), 0, "torch_default")
        if ours:
            return net
        native = by_hand(self.framework).MLP(self.units, CLASSES, FEATURES)
        backend = ub.get_backend(self.framework)
        backend.run(native, [backend.from_numpy(data()[0][:2])])  # makes what was deferred
        return ub.transfer(net, native, match="order")

    def trainer(self) -> ub.Trainer:
        optimizer = getattr(ub, self.optimizer)(self.rate, **OPTIONS[self.optimizer])
        return ub.Trainer(self.net(ours=True), optimizer, "cross_entropy")

    def tensors(self) -> list[Any]:
        return [ub.get_backend(self.framework).from_numpy(array) for array in data()]

    def fit(self) -> Callable[[], Any]:
        """An epoch of `fit`."""
        trainer, (x, y), generator = self.trainer(), self.tensors(), orders()
        return lambda: trainer.epoch(x, y, generator.permutation(SAMPLES), self.batch)

    def called(self, *callbacks: ub.Callback) -> Callable[[], Any]:
        """An epoch of the loop of `fit`, with callbacks."""
        trainer, (x, y) = self.trainer(), self.tensors()
        source = Arrays(trainer.backend, trainer.device, x, y, batch_size=self.batch)
        loop = Loop(trainer, source, epochs=1, callbacks=callbacks, progress=False)

        def epoch() -> None:
            loop.epoch()
            for callback in callbacks:
                callback.epoch(loop.run_seen)

        return epoch

    def steps(self) -> Callable[[], Any]:
        """A loop over `Trainer.step` on arrays."""
        trainer, (x, y), generator = self.trainer(), data(), orders()

        def epoch() -> None:
            order = generator.permutation(SAMPLES)
            for i in range(0, SAMPLES, self.batch):
                rows = order[i : i + self.batch]
                trainer.step(x[rows], y[rows])

        return epoch

    def by_hand(self, net: Any = None) -> Callable[[], Any]:
        net = net or self.net()
        arguments = (self.batch, self.optimizer, self.rate, orders())
        epoch: Callable[[], Any] = loop_of(self.framework).epoch_of(
            net, *self.tensors(), *arguments
        )
        return epoch

    def by_keras(self) -> Callable[[], Any]:
        arguments = (self.batch, self.optimizer, self.rate)
        epoch: Callable[[], Any] = loop_of(self.framework).keras_epoch_of(
            self.net(), *data(), *arguments
        )
        return epoch


def measure(framework: str, effort: Effort) -> list[Cell]:
    check(framework)
    cells = []
    for units, batch in ((256, 32), (1024, 256)):
        for optimizer in ("SGD",) if effort.quick else OPTIONS:
            work = Work(framework, units, batch, optimizer)
            others = {
                "what": f"MLP {FEATURES}-{units}-{CLASSES}",
                "setting": {"batch": batch, "optimizer": optimizer},
            }
            cells += compared(work, BY_HAND, [work.by_hand(), work.by_hand()], effort, others)
            if framework == "tensorflow":
                cells += compared(work, KERAS, [work.by_keras()], effort, others)
    return cells + of_threads(framework)


def of_threads(framework: str) -> list[Cell]:
    """A step on a small batch with the framework's threads, and with one."""
    found = cost_of_threads(ub.get_backend(framework))
    if found is None:
        return []
    what = f"MLP {THREADED}-{THREADED}-{CLASSES}"
    return [
        Cell.seconds(what, f"a step with {threads}", [seconds], setting={"batch": SMALL})
        for threads, seconds in zip(("its threads", "one thread"), found, strict=True)
    ]


def compared(
    work: Work, label: str, references: list[Any], effort: Effort, others: dict[str, Any]
) -> list[Cell]:
    """An epoch of ours over the first of the references; where there is a second, over it too."""
    calls = [references[0], work.fit(), *references[1:]]
    if len(references) > 1:
        calls += [work.steps(), work.called(ub.Callback(), ub.Callback()), work.called(Looking())]
    times = in_turn(calls, effort, ub.get_backend(work.framework).finish, precisely=True)
    reference, *found = times.T
    ours = (STEP, CALLED, LOOKED_AT)
    names = (f"{FIT} / {label}", f"{label} / {label}", *(f"{each} / {label}" for each in ours))
    cells = [Cell.seconds(measure=label, times=reference, **others)]
    for name, seconds in zip(names, found, strict=False):
        target = NATIVE if name.startswith((f"{FIT} /", CALLED)) else None
        cells.append(
            Cell.ratio(measure=name, ratio=ratio(seconds, reference), target=target, **others)
        )
    return cells


def check(framework: str) -> None:
    """Assert that an epoch of ours and one by hand give the same loss and the same numbers."""
    work = Work(framework, 16, 32, rate=0.125)
    trainer, by_hand_net = work.trainer(), work.net()
    before = list(ub.state(trainer.net).values())
    losses = trainer.epoch(*data(), orders().permutation(SAMPLES), work.batch)
    told = work.by_hand(by_hand_net)()
    sizes = [min(work.batch, SAMPLES - i) for i in range(0, SAMPLES, work.batch)]
    if not deviation(np.float64(told), np.average(losses, weights=sizes), "float32", "trained").ok:
        raise AssertionError(f"{framework}: fit and the loop by hand give different losses")
    expected, found = (ub.state(net).values() for net in (by_hand_net, trainer.net))
    for a, b, start in zip(expected, found, before, strict=True):
        if not deviation(b, a, "float32", "trained").ok or np.array_equal(b, start):
            raise AssertionError(f"{framework}: fit and the loop by hand end at different numbers")


def orders() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(0))


def data() -> tuple[Array, Array]:
    """Inputs and labels, both random: a net that learns them would compute with other numbers."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(SAMPLES, FEATURES)).astype("float32")
    return x, generator.integers(0, CLASSES, SAMPLES)
