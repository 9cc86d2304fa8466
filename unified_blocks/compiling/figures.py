"""What is measured of each way to run something, and which of them is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unified_blocks.backend import Backend
from unified_blocks.compiling.timing import Ratio, ratio, time_in_turn
from unified_blocks.reference.rows import Row

BUDGET = 0.5
"""Seconds to time one way, roughly."""
ROUNDS = (10, 100)
"""How often at least and at most all ways are timed, one after the other."""


@dataclass(frozen=True)
class Figure:
    """What was found about one way to run a model or a training step.

    Attributes:
        name: `"eager"`, or what the framework calls it.
        seconds: the median time of a call; None when it was not timed.
        ratio: of that to the first way's, pair by pair; None of the first, too.
        worst: that of its results which is furthest from the first way's, under the policy of
            `ub.compare`; None when it gave none.
        obstacle: why it could not be chosen, if it could not.
    """

    name: str
    seconds: float | None = None
    ratio: Ratio | None = None
    worst: Row | None = None
    obstacle: str | None = None

    @classmethod
    def judged(cls, name: str, rows: Iterable[Row]) -> Figure:
        """Of a way with these results, which must all be within the policy."""
        worst = max(rows, key=lambda row: (row.share, row.absolute), default=None)
        within = worst is None or worst.ok
        return cls(name, worst=worst, obstacle=None if within else "out of tolerance")

    @classmethod
    def failed(cls, name: str, error: Exception) -> Figure:
        """Of a way that cannot be gone."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return cls(name, obstacle=": ".join([type(error).__name__, *lines[:1]]))

    def __str__(self) -> str:
        cells = [f"{self.name:47}"]
        if self.seconds is not None:
            cells.append(f"{self.seconds * 1e6:12,.1f} µs")
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
    """`figures`, with the times of the `calls` of their names where there is no obstacle."""
    able = [figure.name for figure in figures if figure.obstacle is None]
    chosen = [calls[name] for name in able]
    trial = time_in_turn(chosen, rounds=1, finish=backend.finish, sample=0)
    rounds = int(np.clip(BUDGET * len(able) / trial.sum(), *ROUNDS))
    times = time_in_turn(chosen, rounds=rounds, finish=backend.finish)
    columns = dict(zip(able, times.T, strict=True))
    first = figures[0].name
    return [
        figure
        if figure.name not in columns
        else replace(
            figure,
            seconds=float(np.median(columns[figure.name])),
            ratio=None if figure.name == first else ratio(columns[figure.name], columns[first]),
        )
        for figure in figures
    ]


def fastest(figures: Sequence[Figure]) -> str:
    """The name of the fastest of those that are faster than the first beyond doubt, or its own."""
    faster = {f.ratio.median: f.name for f in figures if f.ratio is not None and f.ratio.high < 1}
    return faster[min(faster)] if faster else figures[0].name
