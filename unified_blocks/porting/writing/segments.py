"""Layers that follow each other again and again in one long row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from unified_blocks.porting.writing.grouping import Abstracted, abstracted
from unified_blocks.porting.writing.pieces import CHANNELS, Part, skeleton, slots

LEAST = 3
"""How often layers must follow each other to be worth a function."""
LONGEST = 8
"""Of how many layers at most."""
GAIN = 4
"""How many lines it must save at least."""


class Segments(NamedTuple):
    """Parts of a row that are alike.

    Attributes:
        starts: where each begins.
        length: how many layers each has.
        common: their code.
    """

    starts: tuple[int, ...]
    length: int
    common: Abstracted


def segments(row: Sequence[Part], sizes: Sequence[tuple[Any, Any]]) -> Segments | None:
    """The parts of a row that are best written once; None where nothing repeats.

    Args:
        row: the layers.
        sizes: how many channels each takes and gives.
    """
    keys = [skeleton(part) for part in row]
    best: tuple[float, Segments] | None = None
    for length in range(2, min(LONGEST, len(row) // LEAST) + 1):
        places: dict[Any, list[int]] = {}
        for start in range(len(row) - length + 1):
            found = keys[start : start + length]
            if len(set(found)) > 1 and _begins(row[start : start + length]):
                places.setdefault(tuple(found), []).append(start)
        for found in places.values():
            for first in found[:length]:
                starts = _apart([place for place in found if place >= first], length)
                most = (len(starts) - 1) * (length - 1)
                if len(starts) < LEAST or most < GAIN or (best and most <= best[0]):
                    continue
                common = abstracted(
                    [row[start : start + length] for start in starts],
                    [sizes[start][0] for start in starts],
                    [sizes[start + length - 1][1] for start in starts],
                )
                score = most - len(starts) * len(common.arguments) / 4
                if score >= GAIN and (best is None or score > best[0]):
                    best = score, Segments(tuple(starts), length, common)
    return best[1] if best else None


def _begins(part: Sequence[Part]) -> bool:
    """Whether layers begin as a person would begin them: with one that changes the channels."""
    changing = [sum(slot.hint == CHANNELS for slot in slots(each)) > 1 for each in part]
    return changing[0] or not any(changing)


def _apart(places: Sequence[int], length: int) -> list[int]:
    """Those of some places that do not overlap."""
    found: list[int] = []
    for place in places:
        if not found or place >= found[-1] + length:
            found.append(place)
    return found
