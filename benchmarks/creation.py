"""What making a block costs in time and in memory, compared with the network written by hand.

The one by hand does the same work: on MXNet it is initialised, and on Keras its layers are built,
as ours are when the widths are given. The memory is that of Python
objects, without parameters (`tracemalloc`), for each of many blocks that are alive together.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import unified_blocks as ub
from benchmarks.cells import Cell, Effort
from benchmarks.clock import in_turn
from benchmarks.native import by_hand
from unified_blocks.compiling.timing import ratio

SIZES = {"hidden_units": 256, "out_units": 10, "in_units": 20}
UNITS, DEPTH = 20, 8
MANY = {"torch": 10_000}
"""How many are alive together for their memory; on Keras and Gluon, which are slow, a hundred."""
FEW = 100


def measure(framework: str, effort: Effort) -> list[Cell]:
    backend, effort = ub.get_backend(framework), effort.at_most(100)
    many = FEW // 5 if effort.quick else MANY.get(framework, FEW)
    cells = []
    for what, (ours, native) in pairs(framework).items():
        times = in_turn([ours, native, native], effort, backend.finish)
        first, twin = ratio(times[:, 0], times[:, 1]), ratio(times[:, 2], times[:, 1])
        cells += [
            Cell.ratio(what, "ours / by hand", first),
            Cell.ratio(what, "by hand / by hand", twin),
            Cell.seconds(what, "ours", times[:, 0]),
            Cell.seconds(what, "by hand", times[:, 1]),
        ]
        made = [memory(make, many) for make in (ours, native)]
        cells.append(Cell(what, "memory of ours", made[0], unit="bytes"))
        cells.append(Cell(what, "memory by hand", made[1], unit="bytes"))
    return cells


def pairs(framework: str) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """By name, what makes one of ours and what makes its counterpart."""
    native = by_hand(framework)
    MLP, portable = ub.MLP.on(framework), ub.MLP.on(framework, portable=True)
    Dense, MySequential = ub.Dense.on(framework), ub.MySequential.on(framework)
    built = keras_built if framework == "tensorflow" else lambda net, *widths: net

    def mlp() -> Any:
        net = native.MLP(**SIZES)
        built(net.hidden, SIZES["in_units"])
        built(net.out, SIZES["hidden_units"])
        return net

    def layer() -> Any:
        return built(native.layer(UNITS, UNITS), UNITS)

    return {
        "MLP": (lambda: MLP(**SIZES), mlp),
        "portable MLP": (lambda: portable(**SIZES), mlp),
        "Dense": (lambda: Dense(UNITS, in_units=UNITS), layer),
        f"MySequential of {DEPTH}": (
            lambda: MySequential(*(Dense(UNITS, in_units=UNITS) for _ in range(DEPTH))),
            lambda: native.stack([layer() for _ in range(DEPTH)]),
        ),
    }


def keras_built(layer: Any, width: int) -> Any:
    layer.build((None, width))
    return layer


def memory(make: Callable[[], Any], many: int) -> float:
    """Bytes that Python holds for one of so many that are alive together."""
    make()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        alive = [make() for _ in range(many)]
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / len(alive)
