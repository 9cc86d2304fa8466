"""What is measured of each way to run something, and which of them is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unified_blocks.backend import Backend
from unified_blocks.equivalence.rows import Row
from unified_blocks.timing import Ratio, ratio, time_in_turn

BUDGET = 0.5
"""Seconds to time one way, roughly."""
ROUNDS = (10, 100)
"""How often at least and at most all ways are timed, one after the other."""


@dataclass(frozen=True)
class Figure:
    """What was found about one way to run a model or a training step.

    Attributes:
        name: what the framework calls it; of the first, which the others are compared with,
            how it is run when it is not compiled.
        seconds: the median time of a call; None when it was not timed.
        ratio: of that to the first way's, pair by pair.
        worst: that of its results which is furthest from the first way's, under the policy of
            `ub.compare`; None when it gave none.
        obstacle: why it could not be chosen, if it could not.
    """

    name: str
    seconds: float | None = None
    ratio: Ratio | None = None
    worst: Row | None = None
    obstacle: str | None = None

    def __str__(self) -> str:
        cells = [f"{self.name:45}"]
        if self.seconds is not None:
            cells.append(f"{self.seconds * 1e6:10,.1f} µs")
        if self.ratio is not None:
            cells.append(f"ratio {self.ratio}")
        if self.worst is not None:
            cells.append(f"off by {self.worst.absolute:.1e}")
        if self.obstacle is not None:
            cells.append(self.obstacle)
        return "  ".join(cells)


def timed(
    figures: Sequence[Figure], calls: Mapping[str, Callable[[], Any]], backend: Backend
) -> list[Figure]:
    """`figures`, those without an obstacle with the times of their `calls`, by name."""
    able = [figure.name for figure in figures if figure.obstacle is None]
    trial = time_in_turn(
        [calls[name] for name in able], rounds=1, finish=backend.finish, sample=0.0
    )
    rounds = int(np.clip(BUDGET * len(able) / trial.sum(), *ROUNDS))
    times = time_in_turn([calls[name] for name in able], rounds=rounds, finish=backend.finish)
    columns = dict(zip(able, times.T, strict=True))
    first = columns[figures[0].name]
    return [
        figure
        if figure.name not in columns
        else replace(
            figure,
            seconds=float(np.median(columns[figure.name])),
            ratio=None if figure is figures[0] else ratio(columns[figure.name], first),
        )
        for figure in figures
    ]


def fastest(figures: Sequence[Figure]) -> str:
    """The name of the fastest of those that are faster than the first beyond doubt, or its own."""
    faster = {f.ratio.median: f.name for f in figures if f.ratio is not None and f.ratio.high < 1}
    return faster[min(faster)] if faster else figures[0].name


def worst_row(rows: Iterable[Row]) -> Row | None:
    """The row with the largest share of what the policy allows; None of none."""
    return max(rows, key=lambda row: (row.share, row.absolute), default=None)
