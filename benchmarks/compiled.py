"""What `ub.compile` gains: a call and a training step of a block, over those before it.

It must not be slower, whatever it chooses; how often it leaves a block as it is, is counted. A call
of the small MLP must take at most half the time of Keras' own call, and two thirds of Gluon's.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

import unified_blocks as ub
from benchmarks.cells import Cell, Effort
from benchmarks.clock import in_turn
from benchmarks.native import MOMENTUM, RATE
from benchmarks.subjects import SUBJECTS, Subject, alike, array
from unified_blocks.backend import EAGER
from unified_blocks.compiling.timing import ratio

BATCHES = (2, 64, 4096)
TRAINED = 64
"""The batch that is trained on."""
NOT_SLOWER = 1.02
SMALL = {"tensorflow": 1 / 2, "mxnet": 1 / 1.5}
"""What a call of the compiled MLP may cost over an eager one, with two samples."""
STEP = {"tensorflow": "tf.function"}
"""How a training step runs that is not compiled, where that is not eagerly."""


def measure(framework: str, effort: Effort) -> list[Cell]:
    cells: list[Cell] = []
    for subject in SUBJECTS[:3:2] if effort.quick else SUBJECTS:
        if subject.portable:
            continue  # its graph is that of the native block
        for batch in BATCHES[:1] if effort.quick else BATCHES:
            cells += called(framework, subject, batch, effort)
        cells += trained(framework, subject, effort)
    chosen = Counter(str(cell.setting["choice"]) for cell in cells if cell.unit == "ratio")
    left = chosen[EAGER] + chosen[STEP.get(framework, "")]
    cells.append(Cell("cells", "measured", chosen.total()))
    cells.append(Cell("cells", "left as they were", left))
    return cells


def called(framework: str, subject: Subject, batch: int, effort: Effort) -> list[Cell]:
    """A call in inference."""
    net, x = made(framework, subject, batch)
    backend, fast = ub.backend_of(net), ub.compile(net, x)
    with backend.inferring(net):
        times = in_turn([lambda: fast(x), lambda: net(x)], effort, backend.finish, precisely=True)
    small = (subject.name, batch) == ("MLP", BATCHES[0])
    target = SMALL.get(framework, NOT_SLOWER) if small else NOT_SLOWER
    setting = {"pass": "forward", "batch": batch, "choice": fast.choice}
    return compared(subject, times, setting, target)


def trained(framework: str, subject: Subject, effort: Effort) -> list[Cell]:
    """A step, beside that of another trainer of the same network."""
    net, x = made(framework, subject, TRAINED)
    backend = ub.backend_of(net)
    y = backend.from_numpy(np.zeros_like(ub.to_numpy(backend.run(net, [x]))))
    step, plain = ub.compile(trainer(net), (x, y)), trainer(net).step
    times = in_turn(
        [lambda: step(x, y), lambda: plain(x, y)], effort, backend.finish, precisely=True
    )
    setting = {"pass": "training step", "batch": TRAINED, "choice": step.choice}
    return compared(subject, times, setting, NOT_SLOWER)


def made(framework: str, subject: Subject, batch: int) -> tuple[Any, Any]:
    """The block, with the same numbers each time, and an input."""
    net = subject.ours(framework)
    return net, alike(net, [], array(batch, *subject.shape))


def trainer(net: Any) -> ub.Trainer:
    return ub.Trainer(net, ub.SGD(RATE, MOMENTUM), "mse")


def compared(subject: Subject, times: Any, setting: dict[str, Any], target: float) -> list[Cell]:
    return [
        Cell.seconds(subject.name, "as it was", times[:, 1], setting=setting),
        Cell.ratio(
            subject.name,
            "compiled / as it was",
            ratio(times[:, 0], times[:, 1]),
            setting=setting,
            target=target,
        ),
    ]
