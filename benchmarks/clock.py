"""Timing in turn, within a limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from benchmarks.cells import Effort
from unified_blocks.timing import time_in_turn
from unified_blocks.types import Array

LONGEST = 200.0
"""Seconds that one cell may take, if that leaves it `FEWEST` pairs."""
FEWEST = 30


def in_turn(
    calls: Sequence[Callable[[], Any]],
    effort: Effort,
    finish: Callable[[], None] = lambda: None,
    sample: float = 0.001,
) -> Array:
    """Seconds of one call of each, of shape (pairs, calls): see `time_in_turn`.

    There are as many pairs as `effort` asks for, and fewer where these would take too long.
    """
    for call in calls:
        call()  # the first one may build
    finish()
    start = perf_counter()
    for call in calls:
        call()
    finish()
    fitting = int(LONGEST / (perf_counter() - start))
    rounds = min(effort.pairs, max(fitting, FEWEST))
    return time_in_turn(calls, rounds=rounds, finish=finish, sample=sample)
