"""What a ported ResNet-50 costs, over one written by hand, and how long it takes to port it.

The network is `resnet50_v1` of Gluon's model zoo, with drawn numbers. By hand it is, for PyTorch,
the same layers; for Keras `keras.applications.ResNet50`, which has biases where Gluon's has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

import unified_blocks as ub
from benchmarks.cells import Cell, Effort
from benchmarks.native import by_hand, network_by_hand
from benchmarks.networks import OURS, timed
from benchmarks.subjects import NATIVE, agree, array
from unified_blocks.compiling.timing import ratio
from unified_blocks.porting import zoo
from unified_blocks.types import Array, Shape

NAME, WHAT = "resnet50_v1", "ResNet-50"
PAIRS, PORTS = 60, 3
SECONDS = 10.0
"""What porting may take, without the proof."""
GROUPS = ((64, 3), (128, 4), (256, 6), (512, 3))
"""The channels of the units of each group, and how many there are."""


def shapes() -> Iterator[Shape]:
    """The shape of each array of the network, in the order of its graph."""

    def norm(channels: int) -> Iterator[Shape]:
        yield from [(channels,)] * 4

    def conv(channels: int, before: int, size: int, bias: bool = False) -> Iterator[Shape]:
        yield channels, before, size, size
        yield from [(channels,)] * bias
        yield from norm(channels)

    yield from conv(64, 3, 7)
    before = 64
    for channels, units in GROUPS:
        for unit in range(units):
            yield from conv(channels, before, 1, bias=True)
            yield from conv(channels, channels, 3)
            yield from conv(4 * channels, channels, 1, bias=True)
            if unit == 0:
                yield from conv(4 * channels, before, 1)
            before = 4 * channels
    yield from ((1000, before), (1000,))


def numbers() -> dict[str, Array]:
    """An array for each name of the packed graph; variances are positive."""
    drawn = np.random.default_rng(0)
    found = {}
    for name, shape in zip(zoo.packed(NAME).names, shapes(), strict=True):
        spread = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.1
        made = drawn.normal(0, spread, shape)
        found[name] = (1 + abs(made) if name.endswith(("gamma", "var")) else made).astype("float32")
    return found


def measure(framework: str, effort: Effort) -> list[Cell]:
    effort = effort.at_most(PAIRS)
    params, seconds = numbers(), []
    for _ in range(PORTS):
        start = perf_counter()
        port = ub.port(NAME, framework, params=params, example=(1, 3, 224, 224))
        net = port.net
        seconds.append(perf_counter() - start)
    cells = [Cell.seconds(WHAT, "to port it", seconds, target=SECONDS)]
    native, backend = by_hand(framework), ub.get_backend(framework)
    theirs = network_by_hand(framework).resnet50()
    x = array(1, 3, 224, 224)
    if framework == "tensorflow":
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    given = backend.from_numpy(x)
    if framework == "torch":
        theirs.eval()
        ub.transfer(net, theirs, match="order")
        agree([backend.to_numpy(backend.run(each, [given])) for each in (net, theirs)], WHAT)
    for run in ("eager", "graph"):
        models = [native.compiled(each) if run == "graph" else each for each in (net, theirs)]
        calls: list[Callable[[], Any]] = [partial(each, given) for each in models]
        with native.inference():
            times = timed(calls, effort, backend.finish)
        found: Any = {"what": WHAT, "setting": {"pass": "forward", "run": run, "size": "224 px"}}
        cells.append(Cell.seconds(measure="by hand", times=times[:, 1], **found))
        found |= {"target": NATIVE}
        cells.append(Cell.ratio(measure=OURS, ratio=ratio(times[:, 0], times[:, 1]), **found))
    return cells
