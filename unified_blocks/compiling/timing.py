"""What calls cost, one compared with the other: in turn, in one process, as ratios of pairs.

A machine gets faster and slower while it measures. Two calls that are timed one right after the
other feel that alike, so their ratio says more than the ratio of two averages.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from unified_blocks.types import Array

WARM_UP = 3
DRAWS = 2000


@dataclass(frozen=True)
class Ratio:
    """What one call costs over what another costs.

    Attributes:
        median: the median of the ratios of the pairs.
        low, high: the bounds of its 95 % bootstrap interval (Efron and Tibshirani, "An
            Introduction to the Bootstrap", 1993, chapter 13: the percentile method).
        pairs: how many there were.
    """

    median: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"


def ratio(times: Array, reference: Array) -> Ratio:
    """The cost in `times` over that in `reference`, pair by pair, both of shape (pairs,)."""
    ratios = times / reference
    drawn = np.random.default_rng(0).choice(ratios, (DRAWS, len(ratios)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return Ratio(float(np.median(ratios)), float(low), float(high), len(ratios))


def time_in_turn(
    calls: Sequence[Callable[[], Any]],
    *,
    rounds: int,
    finish: Callable[[], None] = lambda: None,
    sample: float = 0.001,
    seed: int = 0,
) -> Array:
    """Seconds of one call of each, of shape (rounds, calls).

    Each round times all of them, one after the other, in an order that is drawn: what a call leaves
    in the caches meets each of the others.

    Args:
        calls: what to time; each is called a few times before.
        rounds: how often.
        finish: waits until all that a call began is computed.
        sample: a time in seconds: what takes less is called as often in a row as it takes to
            fill it, the same number of times for all.
        seed: what the orders are drawn from.
    """
    for call in calls:
        for _ in range(WARM_UP):
            call()
    finish()
    repeats = max(1, math.ceil(sample / min(_seconds(call, 1, finish) for call in calls)))
    times, generator = np.empty((rounds, len(calls))), np.random.default_rng(seed)
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()  # its pauses hit whichever call is next
    try:
        for i in range(rounds):
            for turn in generator.permutation(len(calls)):
                times[i, turn] = _seconds(calls[turn], repeats, finish)
    finally:
        if collecting:
            gc.enable()
    return times


def _seconds(call: Callable[[], Any], repeats: int, finish: Callable[[], None]) -> float:
    start = perf_counter()
    for _ in range(repeats):
        call()
    finish()
    return (perf_counter() - start) / repeats
