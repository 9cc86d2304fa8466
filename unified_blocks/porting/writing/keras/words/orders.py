"""How values lie that have more or fewer axes than what they are made of."""

from __future__ import annotations

from collections.abc import Sequence

from unified_blocks.porting.graph import Value
from unified_blocks.porting.writing.keras.writer import last, plain
from unified_blocks.types import Shape


def moved(value: Value, order: Shape) -> tuple[Shape, Shape]:
    """The shape and the growth of a value that lies in some order."""
    growth = value.growth or (0,) * value.rank
    return tuple(value.shape[axis] for axis in order), tuple(growth[axis] for axis in order)


def without(order: Shape, axes: Sequence[int]) -> Shape:
    """The order of the axes that are left."""
    left = [axis for axis in order if axis not in axes]
    return tuple(sorted(left).index(axis) for axis in left)


def inserted(order: Shape, axis: int) -> tuple[Shape, int]:
    """The order with a new axis, and its place: where it makes the most usual order."""
    moved = [each + (each >= axis) for each in order]
    rank = len(moved) + 1
    for wanted in (plain(rank), last(rank)):
        if [each for each in wanted if each != axis] == moved:
            return wanted, wanted.index(axis)
    return (*moved, axis), rank - 1
