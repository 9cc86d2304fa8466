"""Numbers by their place."""

from __future__ import annotations

from unified_blocks.porting.operations.gathers import GatherNd, OneHot, Take, TakeAlong
from unified_blocks.porting.writing.keras.expressions import Expression, call
from unified_blocks.porting.writing.keras.writer import Writing, plain, writes


def places_of(w: Writing, i: int) -> Expression:
    """Whole numbers."""
    given = w.plain_or_numbers(i)
    return given if w.inputs[i].dtype in ("int32", "int64") else call("ops.cast", given, "int32")


@writes(Take)
def take(w: Writing) -> None:
    found = call("ops.take", w.plain_or_numbers(0), places_of(w, 1), axis=w.operation.axis)
    w.give(found, plain(w.node.output.rank))


@writes(TakeAlong)
def take_along(w: Writing) -> None:
    x, places = w.plain_or_numbers(0), places_of(w, 1)
    found = call("ops.take_along_axis", x, places, axis=w.operation.axis)
    w.give(found, plain(w.node.output.rank))


@writes(GatherNd)
def gather_nd(w: Writing) -> None:
    w.writer.words.add("gather_nd")
    found = call("gather_nd", w.plain_or_numbers(0), places_of(w, 1))
    w.give(found, plain(w.node.output.rank))


@writes(OneHot)
def one_hot(w: Writing) -> None:
    operation: OneHot = w.operation
    found = call("ops.one_hot", places_of(w, 0), operation.depth, dtype=operation.dtype)
    w.give(found, plain(w.node.output.rank))
