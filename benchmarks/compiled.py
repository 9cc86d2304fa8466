"""What `ub.compile` gains: a call and a training step of a network, over those before it.

It must not be slower, whatever it chooses; how often it leaves a block as it is, is counted. A call
of the small MLP must take at most half the time of Keras' own call, and two thirds of Gluon's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

import unified_blocks as ub
from benchmarks.cells import Cell, Effort
from benchmarks.clock import in_turn
from benchmarks.native import MOMENTUM, RATE
from benchmarks.networks import LAYOUTS, ROUGHLY, Network, all_networks, moved
from benchmarks.subjects import SUBJECTS, Subject, alike, array
from unified_blocks.backend import EAGER
from unified_blocks.compiling.timing import ratio

BATCHES = (2, 64, 4096)
TRAINED = 64
"""The batch that is trained on."""
NOT_SLOWER = 1.02
SMALL = {"tensorflow": 1 / 2, "mxnet": 1 / 1.5}
"""What a call of the compiled MLP may cost over an eager one, with two samples."""
Setting = dict[str, Any]

STEP = {"tensorflow": "tf.function"}
"""How a training step runs that is not compiled, where that is not eagerly."""


def measure(framework: str, effort: Effort) -> list[Cell]:
    cells = [*blocks(framework, effort), *of_images_and_sequences(framework, effort)]
    chosen = Counter(str(cell.setting["choice"]) for cell in cells if cell.unit == "ratio")
    left = chosen[EAGER] + chosen[STEP.get(framework, "")]
    cells.append(Cell("cells", "measured", chosen.total()))
    cells.append(Cell("cells", "left as they were", left))
    return cells


def blocks(framework: str, effort: Effort) -> Iterator[Cell]:
    for subject in SUBJECTS[:3:2] if effort.quick else SUBJECTS:
        if subject.portable:
            continue  # its graph is that of the native block

        def made(batch: int, subject: Subject = subject) -> tuple[Any, Any]:
            net = subject.ours(framework)
            return net, alike(net, [], array(batch, *subject.shape))

        for batch in BATCHES[:1] if effort.quick else BATCHES:
            small = (subject.name, batch) == ("MLP", BATCHES[0])
            target = SMALL.get(framework, NOT_SLOWER) if small else NOT_SLOWER
            yield from called(subject.name, made(batch), {"batch": batch}, effort, target)
        yield from trained(subject.name, made(TRAINED), {"batch": TRAINED}, effort)


def of_images_and_sequences(framework: str, effort: Effort) -> Iterator[Cell]:
    """Networks of moderate size, in the layout in which the framework computes."""
    layout = LAYOUTS[framework][0][0]
    for network in all_networks():
        if network.size not in ROUGHLY or (effort.quick and network.what != "LeNet"):
            continue

        def made(network: Network = network) -> tuple[Any, Any]:
            x = array(*network.shape)
            if network.of_images:
                x = moved(x, layout)
            net = ub.initialize(ub.build(network.ours(framework, layout), x.shape), 0)
            return net, ub.from_numpy(x, framework)

        setting = {"batch": network.shape[0], "size": network.size}
        yield from called(network.what, made(), setting, effort)
        yield from trained(network.what, made(), setting, effort)


def called(
    what: str, made: tuple[Any, Any], setting: Setting, effort: Effort, target: float = NOT_SLOWER
) -> list[Cell]:
    """A call in inference."""
    net, x = made
    backend, fast = ub.backend_of(net), ub.compile(net, x)
    with backend.inferring(net):
        times = in_turn([lambda: fast(x), lambda: net(x)], effort, backend.finish, precisely=True)
    return compared(what, times, {"pass": "forward", **setting, "choice": fast.choice}, target)


def trained(what: str, made: tuple[Any, Any], setting: Setting, effort: Effort) -> list[Cell]:
    """A step, beside that of another trainer of the same network."""
    net, x = made
    backend = ub.backend_of(net)
    y = backend.from_numpy(np.zeros_like(ub.to_numpy(backend.run(net, [x]))))
    step, plain = ub.compile(trainer(net), (x, y)), trainer(net).step
    times = in_turn(
        [lambda: step(x, y), lambda: plain(x, y)], effort, backend.finish, precisely=True
    )
    setting = {"pass": "training step", **setting, "choice": step.choice}
    return compared(what, times, setting, NOT_SLOWER)


def trainer(net: Any) -> ub.Trainer:
    return ub.Trainer(net, ub.SGD(RATE, MOMENTUM), "mse")


def compared(what: str, times: Any, setting: Setting, target: float) -> list[Cell]:
    found: Any = {"what": what, "setting": setting}
    return [
        Cell.seconds(measure="as it was", times=times[:, 1], **found),
        Cell.ratio(
            measure="compiled / as it was",
            ratio=ratio(times[:, 0], times[:, 1]),
            target=target,
            **found,
        ),
    ]
