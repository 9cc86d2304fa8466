"""A forward of a 20-256-10 MLP by this library and by others, over the one written by hand.

Keras 3 on its torch backend and thinc's `PyTorchWrapper` are the other two ways to a PyTorch
network; code in the style of the book's chapter is what a reader of it has.
"""

from __future__ import annotations

from benchmarks.cells import Cell, Effort
from benchmarks.contests import BY_HAND, OTHERS, OURS, mlp
from benchmarks.subjects import NATIVE
from unified_blocks.compiling.timing import ratio


def measure(framework: str, effort: Effort) -> list[Cell]:
    cells = []
    for batch in (2, 1024):
        times = mlp(framework, batch).times(effort, precisely=framework not in OTHERS)
        setting = {"batch": batch}
        reference = times.pop(BY_HAND)
        cells.append(Cell.seconds("MLP", BY_HAND, reference, setting=setting))
        for label, seconds in times.items():
            found = ratio(seconds, reference)
            target = NATIVE if label == OURS else None
            measure = f"{label} / {BY_HAND}"
            cells.append(Cell.ratio("MLP", measure, found, setting=setting, target=target))
    return cells
