"""What moving a model's numbers costs, compared with `numpy.copyto` of as many bytes.

`numpy.copyto` writes where something was written before, or into new memory, which the system has
to find first: `state` gives new arrays and is compared with the latter, `load_state` and `transfer`
write into a model that is there. `convert` makes the model too; at the largest size the call also
runs Python's collector, which is off while calls are timed, to free the previous model. *Peak*
is the most memory that NumPy had during one call beyond what it had before, in states.

Every other framework that is installed is a target of `transfer` and `convert`. On TensorFlow a
dense weight is laid out the other way, and what is copied is transposed.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import unified_blocks as ub
from benchmarks.cells import Cell, Effort
from benchmarks.clock import in_turn
from unified_blocks.compiling.timing import ratio

LAYERS = 4
MEGABYTES = (1, 32, 1024)
QUICK = (1, 4)
PAIRS = 20


def measure(framework: str, effort: Effort) -> list[Cell]:
    effort = effort.at_most(PAIRS)
    return [
        cell
        for megabytes in (QUICK if effort.quick else MEGABYTES)
        for cell in of_size(framework, megabytes, effort)
    ]


def of_size(framework: str, megabytes: int, effort: Effort) -> list[Cell]:
    source, target = model(framework, megabytes), model(framework, megabytes)
    state = ub.state(source)
    there = {name: array.copy() for name, array in state.items()}
    calls: dict[str, Callable[[], Any]] = {
        "numpy.copyto": lambda: copied(state, there),
        "numpy.copyto into new memory": lambda: copied(
            state, {name: np.empty_like(array) for name, array in state.items()}
        ),
        "state": lambda: ub.state(source),
        "load_state": lambda: ub.load_state(target, state),
        f"transfer to {framework}": lambda: ub.transfer(source, target),
    }
    others = [name for name in ub.available_backends() if name != framework]
    for other in others:
        calls[f"transfer to {other}"] = to_model(source, model(other, megabytes))
        calls[f"convert to {other}"] = to_framework(source, other, megabytes == MEGABYTES[-1])
    times = in_turn(list(calls.values()), effort, ub.get_backend(framework).finish)
    names, size = list(calls), sum(array.nbytes for array in state.values())
    cells = []
    for i, name in enumerate(names):
        reference = names.index("numpy.copyto" + " into new memory" * (name == "state"))
        setting: dict[str, int | str] = {"MB": megabytes}
        if i > 1:
            found = ratio(times[:, i], times[:, reference])
            cells.append(Cell.ratio(name, "/ numpy.copyto", found, setting=setting))
        cells.append(Cell.seconds(name, "time", times[:, i], setting=setting))
        cells.append(Cell(name, "peak", peak(calls[name]) / size, setting=setting, unit="ratio"))
    return cells


def model(framework: str, megabytes: int) -> Any:
    """Dense layers whose weights are so many bytes of float32 together."""
    width = int((megabytes * 2**20 / 4 / LAYERS) ** 0.5)
    Dense = ub.Dense.on(framework)
    layers = [Dense(width, in_units=width, use_bias=False) for _ in range(LAYERS)]
    return ub.MySequential.on(framework)(*layers)


def copied(state: dict[str, np.ndarray], there: dict[str, np.ndarray]) -> None:
    for name, array in state.items():
        np.copyto(there[name], array)


def to_model(source: Any, target: Any) -> Callable[[], Any]:
    return lambda: ub.transfer(source, target)


def to_framework(source: Any, name: str, collected: bool) -> Callable[[], Any]:
    def call() -> None:
        ub.convert(source, name)
        if collected:  # frameworks tie models in cycles
            gc.collect()

    return call


def peak(call: Callable[[], Any]) -> int:
    """The most bytes that NumPy and Python had during the call, beyond those before it."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
