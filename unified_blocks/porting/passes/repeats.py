"""Blocks found in what is repeated: the residual units of a stage, of a graph without blocks.

A stage is cut wherever all that flows passes through one value. Of the pieces between the cuts, a
run that comes again right after itself is a unit, and each of its repetitions a block.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence

from unified_blocks.porting.graph import Graph, Node, Parameter, Value
from unified_blocks.porting.operations.shapes import Concat
from unified_blocks.porting.structure import Item, Scope, divided, given, taken

FEWEST_NODES = 3
"""A unit of fewer is as easily read as it stands."""


def find_repeats(graph: Graph) -> None:
    """Put the nodes of each unit into a block of its own, by their paths."""
    pending = [divided(graph)]
    while pending:
        scope = pending.pop()
        pending += [item for item in scope.items if isinstance(item, Scope)]
        pieces = list(_pieces(scope))
        units = _units(tuple(map(_skeleton, pieces)), [_size(piece) for piece in pieces])
        alone = sum(stop - start for start, stop in units) == len(pieces)
        for number, (start, stop) in enumerate(units):
            items = [item for piece in pieces[start:stop] for item in piece]
            _wrap(items, len(scope.path), str(number) if alone else f"unit{number}", _kind(items))


def _pieces(scope: Scope) -> Iterator[list[Item]]:
    """The items of a block, between the places where one value alone is alive."""
    last: dict[Value, int] = dict.fromkeys(scope.outputs, len(scope.items))
    for place, item in reversed(list(enumerate(scope.items))):
        for value in taken(item):
            last.setdefault(value, place)
    alive = {value for value in scope.inputs if last.get(value, -1) >= 0}
    piece: list[Item] = []
    for place, item in enumerate(scope.items):
        piece.append(item)
        alive = {v for v in alive.union(given(item)) if last.get(v, -1) > place}
        if len(alive) == 1:
            yield piece
            piece = []
    if piece:
        yield piece


def _size(piece: Sequence[Item]) -> int:
    """How many nodes are in a piece; 0 where some are in a block already."""
    return len(piece) if all(isinstance(item, Node) for item in piece) else 0


def _skeleton(piece: Sequence[Item]) -> Hashable:
    """What a piece computes, but for its numbers: its operations, and how they are connected."""
    numbers: dict[Value, int] = {}
    parts: list[Hashable] = []
    nodes = [
        (node, () if isinstance(item, Node) else node.path[len(item.path) - 1 : -1])
        for item in piece
        for node in ([item] if isinstance(item, Node) else item.nodes())
    ]
    for node, blocks in nodes:
        inputs = tuple(
            (each.role, each.scalar, each.rank)
            if isinstance(each, Parameter)
            else numbers.setdefault(each, len(numbers))
            for each in node.inputs
        )
        outputs = tuple(numbers.setdefault(each, len(numbers)) for each in node.outputs)
        parts.append((type(node.operation), inputs, outputs, len(blocks)))
    return tuple(parts)


def _units(skeletons: Sequence[Hashable], sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Where units begin and end, in order.

    A unit is a run of pieces that comes again right after itself, the shortest first. Where the
    same run stands elsewhere alone it is one too. The unit before the first repetition often has
    another beginning, such as a projection: it is one as well, if it ends as the others do.
    """
    units: list[tuple[int, int]] = []

    def is_free(start: int, stop: int) -> bool:
        return start >= 0 and all(stop <= a or b <= start for a, b in units)

    for length in range(1, len(skeletons) // 2 + 1):
        place = 0
        while place + 2 * length <= len(skeletons):
            start, count = _best(skeletons, sizes, place, length)
            while count and not is_free(start, start + count * length):
                count -= 1
            if count < 2:
                place += 1
                continue
            units += [(start + i * length, start + (i + 1) * length) for i in range(count)]
            before = start - length
            if (
                is_free(before, start)
                and sizes[before] >= max(sizes[start], 2)
                and skeletons[before + 1 : start] == skeletons[start + 1 : start + length]
            ):
                units.append((before, start))
            place = start + length * count
        for unit in {skeletons[start:stop] for start, stop in units if stop - start == length}:
            for start in range(len(skeletons) - length + 1):
                if skeletons[start : start + length] == unit and is_free(start, start + length):
                    units.append((start, start + length))
    return sorted(units)


def _best(
    skeletons: Sequence[Hashable], sizes: Sequence[int], place: int, length: int
) -> tuple[int, int]:
    """Where near `place` a unit of this length begins, and how often it comes.

    It begins with the largest of its pieces, so that an activation between two residual units
    belongs to the one before it.
    """
    counts = {
        start: _count(skeletons, sizes, start, length)
        for start in range(
            place, place + (length if _count(skeletons, sizes, place, length) else 1)
        )
    }
    most = [start for start in counts if counts[start] == counts[place]]
    start = max(most, key=lambda each: (sizes[each], -each))
    return start, counts[start]


def _count(skeletons: Sequence[Hashable], sizes: Sequence[int], place: int, length: int) -> int:
    """How often the pieces from `place` on come one after another; 0 of what is no unit."""
    unit, size = skeletons[place : place + length], sizes[place : place + length]
    if len(size) < length or min(size) == 0 or sum(size) < FEWEST_NODES:
        return 0
    count = 1
    while skeletons[place + count * length : place + (count + 1) * length] == unit:
        count += 1
    return count


def _kind(items: Sequence[Item]) -> str:
    """The name of the class of a unit, by what it does."""
    nodes = [item for item in items if isinstance(item, Node)]
    made = {value for node in nodes for value in node.outputs}
    for node in nodes:
        if isinstance(node.operation, Concat):
            return "Branches"
        if len(node.taken) > 1 and any(value not in made for value in node.taken):
            return "Residual"
        if len(node.taken) > 1:
            return "Projection"
    names = {type(node.operation).__name__: None for node in nodes if node.parameters}
    return f"{next(iter(names), '')}Unit"


def _wrap(items: Sequence[Item], depth: int, name: str, kind: str) -> None:
    """Put a block around items; names that count over the network count within the block."""
    counts: dict[str, int] = {}
    renamed: dict[str, str] = {}
    for node in items:
        if not isinstance(node, Node):
            continue  # of no unit: see `_size`
        own = node.path[depth]
        if own not in renamed:
            stem = re.sub(r"_?\d+$", "", own) or own
            renamed[own] = f"{stem}{counts.get(stem, 0)}"
            counts[stem] = counts.get(stem, 0) + 1
        node.path = (*node.path[:depth], name, renamed[own], *node.path[depth + 1 :])
        node.kinds = (*node.kinds[:depth], kind, *node.kinds[depth:])
