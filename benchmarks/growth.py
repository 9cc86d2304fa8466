"""How the cost grows with depth, width and batch: ours must not grow faster than that by hand.

Beside each time and each ratio to the one by hand there is, for a whole line of sizes, the *growth*
of that ratio: a straight line is fitted to its logarithm over the logarithm of the size, and the
growth is its value at the largest size over that at the smallest. 1 is "grows alike".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.cells import Cell, Effort
from benchmarks.contests import BY_HAND, OTHERS, Contest, depth, mlp
from unified_blocks.compiling.timing import DRAWS, Ratio, ratio
from unified_blocks.types import Array

PAIRS = 30  # for each size: the growth is fitted to all of them

LINES: dict[str, tuple[Callable[[str, int], Contest], tuple[int, ...]]] = {
    "depth": (depth, (1, 4, 16, 64, 256, 1000)),
    "width": (lambda framework, size: mlp(framework, 2, size), (16, 64, 256, 1024, 4096)),
    "batch": (mlp, (1, 4, 16, 64, 256, 1024, 4096)),
}


def measure(framework: str, effort: Effort) -> list[Cell]:
    cells = []
    for line, (make, sizes) in LINES.items():
        if line != "depth" and framework in OTHERS:
            continue
        sizes = sizes[:4] if effort.quick else sizes
        found: dict[str, list[Array]] = {}
        for size in sizes:
            times = make(framework, size).times(effort.at_most(PAIRS))
            reference = times[BY_HAND]
            for label, seconds in times.items():
                setting = {line: size}
                cells.append(Cell.seconds(line, label, seconds, setting=setting))
                if label != BY_HAND:
                    measure = f"{label} / {BY_HAND}"
                    both = ratio(seconds, reference)
                    cells.append(Cell.ratio(line, measure, both, setting=setting))
                    found.setdefault(measure, []).append(seconds / reference)
        for measure, ratios in found.items():
            setting = {line: f"{sizes[0]} to {sizes[-1]}"}
            growth = fitted_growth(np.array(sizes), ratios)
            cells.append(Cell.ratio(f"growth with {line}", measure, growth, setting=setting))
    return cells


def fitted_growth(sizes: Array, ratios: list[Array]) -> Ratio:
    """The growth of the medians of `ratios`, an array for each size, and its 95 % interval."""
    draw = np.random.default_rng(0)
    medians = np.array([np.median(draw.choice(r, (DRAWS, len(r))), axis=1) for r in ratios])
    range_of_sizes = np.log(sizes[-1] / sizes[0])

    def growth(values: Array) -> Array:
        slope = np.polyfit(np.log(sizes), np.log(values), 1)[0]
        return np.exp(slope * range_of_sizes)

    low, high = np.quantile(growth(medians), [0.025, 0.975])
    median = growth(np.array([np.median(r) for r in ratios]))
    return Ratio(float(median), float(low), float(high), min(len(r) for r in ratios))
