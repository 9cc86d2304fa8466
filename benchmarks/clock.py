"""Timing in turn: as many pairs as asked for, and more while the interval is too wide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.cells import Effort
from unified_blocks.compiling.timing import ratio, time_in_turn
from unified_blocks.types import Array

LONGEST = 400.0
"""The seconds that the requested pairs may take; if they would take longer there are fewer, but at
least `FEWEST`."""
FEWEST = 30
NARROW = 0.01
"""How wide an interval may be relative to its median; while it is wider, the number of pairs is
doubled."""
PATIENCE = 10.0
"""Seconds after which no pairs are added: the last doubling takes as long as all pairs before."""


def in_turn(
    calls: Sequence[Callable[[], Any]],
    effort: Effort,
    finish: Callable[[], None] = lambda: None,
    sample: float = 0.001,
    precisely: bool = False,
    longest: float = LONGEST,
    fewest: int = FEWEST,
    patience: float = PATIENCE,
) -> Array:
    """Seconds of one call of each, of shape (pairs, calls): see `time_in_turn`.

    There are as many pairs as `effort` asks for, and fewer, but at least `fewest`, where these
    would take longer than `longest` seconds. `precisely`, there are more while the interval of the
    ratio of the first two is wide, for `patience` seconds.
    """
    for call in calls:
        call()  # the first one may build
    finish()
    start = perf_counter()
    for call in calls:
        call()
    finish()
    fitting = int(longest / (perf_counter() - start))
    rounds = min(effort.pairs, max(fitting, fewest))
    start = perf_counter()
    times = time_in_turn(calls, rounds=rounds, finish=finish, sample=sample)
    precisely = precisely and not effort.quick
    while precisely and is_wide(times) and perf_counter() - start < patience:
        more = time_in_turn(calls, rounds=len(times), finish=finish, sample=sample, seed=len(times))
        times = np.concatenate([times, more])
    return times


def is_wide(times: Array) -> bool:
    """Whether the ratio of the first two calls is not known well enough."""
    found = ratio(times[:, 0], times[:, 1])
    return found.high - found.low > NARROW * found.median
