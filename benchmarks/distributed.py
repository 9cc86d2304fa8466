"""What `ub.fit` costs in several processes, over the framework's own engine by hand.

Two processes on this machine train the same MLP on the same samples, in batches of which each takes
its share, the last a partial one: by `DistributedDataParallel`, `MultiWorkerMirroredStrategy`, or a
key-value store `dist_sync`. Both loops run in the same processes, in turn. Beside it: a second
one by hand, which says how far to trust the first ratio; and the bytes that a process gives the
engine in a step, counted: those of the gradients, and the loss, which ours sends once an epoch.

`python benchmarks/distributed.py JSON` is one of the processes.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import unified_blocks as ub
from benchmarks import ROOT
from benchmarks.cells import Cell, Effort
from benchmarks.loops import OPTIONS, loop_of
from benchmarks.subjects import NATIVE
from benchmarks.training import BY_HAND, CLASSES, FEATURES, FIT, SAMPLES, Work, data, orders
from benchmarks.wire import counted
from unified_blocks.compiling.timing import ratio, time_in_turn
from unified_blocks.reference.policy import deviation

PROCESSES = 2
ENGINES = {"torch": "torch", "tensorflow": "workers", "mxnet": "mxnet"}
"""By framework, what `testbed.launching` calls its engine of several processes."""
SIZES = ((256, 32), (1024, 256))
"""Hidden units, and samples in a batch."""


@dataclass(frozen=True)
class Shared(Work):
    """An MLP that several processes train."""

    group: Any = None

    def trainer(self) -> ub.Trainer:
        optimizer = getattr(ub, self.optimizer)(self.rate, **OPTIONS[self.optimizer])
        net = self.net(ours=True)
        return ub.Trainer(net, optimizer, "cross_entropy", distributed=self.group)

    def by_hand(self, net: Any = None) -> Callable[[], Any]:
        make = loop_of(self.framework).shared_epoch_of
        arguments = (self.batch, self.optimizer, self.rate, orders(), self.group)
        epoch: Callable[[], Any] = make(net or self.net(), *self.tensors(), *arguments)
        return epoch


def measure(framework: str, effort: Effort) -> list[Cell]:
    sys.path.append(str(ROOT / "tests"))
    from testbed.launching import launch

    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))  # of the processes, too
    cells = []
    for units, batch in SIZES[:1] if effort.quick else SIZES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "found.json"
            asked = {"framework": framework, "path": str(path), "units": units, "batch": batch}
            asked["pairs"] = effort.pairs
            launch(ENGINES[framework], PROCESSES, __file__, json.dumps(asked), timeout=600)
            found = json.loads(path.read_text())
        others = {
            "what": f"MLP {FEATURES}-{units}-{CLASSES}",
            "setting": {"batch": batch, "processes": PROCESSES},
        }
        reference, ours, again = np.array(found["times"]).T
        cells.append(Cell.seconds(measure=BY_HAND, times=reference, **others))
        for name, seconds, target in (
            (f"{FIT} / {BY_HAND}", ours, NATIVE),
            (f"{BY_HAND} / {BY_HAND}", again, None),
        ):
            of_pairs = ratio(seconds, reference)
            cells.append(Cell.ratio(measure=name, ratio=of_pairs, target=target, **others))
        for name in ("gradients", "sent", "besides"):
            value = found["bytes"][name]
            cells.append(Cell(measure=f"{name}, a step", value=value, unit="bytes", **others))
    return cells


def process(asked: dict[str, Any]) -> None:
    """What each of the processes does; the first one writes what it measured."""
    framework = asked["framework"]
    ub.set_backend(framework)
    with ub.join() as group:
        check(Shared(framework, 16, 32, rate=0.125, group=group))
        work = Shared(framework, asked["units"], asked["batch"], group=group)
        calls = [work.by_hand(), work.fit(), work.by_hand()]
        # As many calls, in the same order, in each process. Each ends when its loss is read.
        times = time_in_turn(calls, rounds=asked["pairs"], sample=0.0)
        found = {"times": times.tolist(), "bytes": bytes_of_a_step(work)}
        if group.rank == 0:
            Path(asked["path"]).write_text(json.dumps(found))


def bytes_of_a_step(work: Shared) -> dict[str, float]:
    """Those of the gradients, of what is sent of them, and of what is sent besides."""
    trainer, steps = work.trainer(), SAMPLES // work.batch
    order = np.arange(steps * work.batch)
    step = trainer.training_step
    found = counted(work.framework, step, lambda: trainer.epoch(*data(), order, work.batch), steps)
    gradients = sum(array.nbytes for array in ub.state(trainer.net).values())
    return {"gradients": gradients, **{name: n / steps for name, n in found.items()}}


def check(work: Shared) -> None:
    """Assert that an epoch of ours and one by hand give the same loss and the same numbers."""
    trainer, net = work.trainer(), work.net()
    losses = trainer.epoch(*data(), orders().permutation(SAMPLES), work.batch)
    told = work.by_hand(net)()
    sizes = [min(work.batch, SAMPLES - i) for i in range(0, SAMPLES, work.batch)]
    if not deviation(np.float64(told), np.average(losses, weights=sizes), "float32", "trained").ok:
        raise AssertionError(f"{work.framework}: fit and the loop by hand give different losses")
    for a, b in zip(ub.state(net).values(), ub.state(trainer.net).values(), strict=True):
        if not deviation(b, a, "float32", "trained").ok:
            raise AssertionError(f"{work.framework}: both end at different numbers")


if __name__ == "__main__":
    process(json.loads(sys.argv[1]))
