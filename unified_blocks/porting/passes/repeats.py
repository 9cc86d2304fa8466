"""Blocks found in what is repeated: the residual units of a stage, of a graph without blocks.

A stage is cut wherever all that flows passes through one value. Of the pieces between the cuts, a
run that comes again right after itself is a unit, and each of its repetitions a block.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence, Set
from dataclasses import dataclass, field

from unified_blocks.porting.graph import Graph, Node, Parameter, Value
from unified_blocks.porting.operations.shapes import Concat
from unified_blocks.porting.passes.naming import identifier
from unified_blocks.porting.structure import Item, Scope, divided, given, taken

FEWEST_NODES = 3
"""A unit of fewer is as easily read as it stands."""


def find_repeats(graph: Graph) -> None:
    """Put the nodes of each unit into a block of its own, by their paths."""
    scopes = list(_scopes(divided(graph)))
    pieces = [list(_pieces(scope)) for scope in scopes]
    stages = [
        _Stage(tuple(map(_skeleton, each)), tuple(map(_size, each)), tuple(map(_last, each)))
        for each in pieces
    ]
    for stage in stages:
        stage.find_repeated()
    known = {stage.skeletons[a:b] for stage in stages for a, b in stage.units}
    for scope, each, stage in zip(scopes, pieces, stages, strict=True):
        stage.find_known(known)
        if scope.path:
            stage.find_first()
        alone = sum(stop - start for start, stop in stage.units) == len(each)
        for number, (start, stop) in enumerate(sorted(stage.units)):
            items = [item for piece in each[start:stop] for item in piece]
            name = str(number) if alone else f"unit{number}"
            _wrap(items, len(scope.path), name, _kind(items))


def _scopes(scope: Scope) -> Iterator[Scope]:
    """A block, and all in it."""
    yield scope
    for item in scope.items:
        if isinstance(item, Scope):
            yield from _scopes(item)


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


def _last(piece: Sequence[Item]) -> Hashable:
    """What the last node of a piece does, and with how many values."""
    last = piece[-1]
    node = last if isinstance(last, Node) else list(last.nodes())[-1]
    return node.operation, len(node.taken)


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


@dataclass
class _Stage:
    """The pieces of a block: what each computes, how many nodes it has, and which are units.

    Attributes:
        lasts: what the last node of each does.
        units: where each begins and ends.
    """

    skeletons: tuple[Hashable, ...]
    sizes: tuple[int, ...]
    lasts: tuple[Hashable, ...]
    units: list[tuple[int, int]] = field(default_factory=list)

    def find_repeated(self) -> None:
        """Runs that come again right after themselves are units, the shortest first."""
        for length in range(1, len(self.skeletons) // 2 + 1):
            place = 0
            while place + 2 * length <= len(self.skeletons):
                start, count = self._best(place, length)
                while count and not self._is_free(start, start + count * length):
                    count -= 1
                if count < 2:
                    place += 1
                    continue
                for i in range(count):
                    self._take(start + i * length, length)
                place = start + length * count

    def find_known(self, known: Set[tuple[Hashable, ...]]) -> None:
        """A run that is a unit elsewhere is one where it stands alone, too."""
        for unit in sorted(known, key=len, reverse=True):
            for start in range(len(self.skeletons) - len(unit) + 1):
                stop = start + len(unit)
                if self.skeletons[start:stop] == unit and self._is_free(start, stop):
                    self._take(start, len(unit))

    def find_first(self) -> None:
        """What is before all other units of a block, which they fill, is one if it ends as they do.

        The first of a stage may differ in more than its beginning.
        """
        units = sorted(self.units)
        if not units or units[0][0] == 0 or min(self.sizes[: units[0][0]]) == 0:
            return
        if len(units) > 1 and self._of(units[0]) not in map(self._of, units[1:]):
            del units[0]
        start = units[0][0]
        if sum(b - a for a, b in units) != len(self.skeletons) - start:
            return
        if all(self.lasts[b - 1] == self.lasts[start - 1] for _, b in units):
            self.units = [(0, start), *units]

    def _of(self, unit: tuple[int, int]) -> Hashable:
        return self.skeletons[slice(*unit)]

    def _take(self, start: int, length: int) -> None:
        """Make a unit of a run, and of the one before it if that differs only in its beginning.

        The first of a stage often has a projection beside it.
        """
        self.units.append((start, start + length))
        before, skeletons = start - length, self.skeletons
        if (
            self._is_free(before, start)
            and self.sizes[before] >= max(self.sizes[start], 2)
            and skeletons[before + 1 : start] == skeletons[start + 1 : start + length]
        ):
            self.units.append((before, start))

    def _is_free(self, start: int, stop: int) -> bool:
        return start >= 0 and all(stop <= a or b <= start for a, b in self.units)

    def _best(self, place: int, length: int) -> tuple[int, int]:
        """Where near `place` a unit of this length begins, and how often it comes.

        It begins with the largest of its pieces, so that an activation between two residual units
        belongs to the one before it.
        """
        reach = length if self._count(place, length) else 1
        counts = {start: self._count(start, length) for start in range(place, place + reach)}
        most = [start for start in counts if counts[start] == counts[place]]
        start = max(most, key=lambda each: (self.sizes[each], -each))
        return start, counts[start]

    def _count(self, place: int, length: int) -> int:
        """How often the pieces from `place` on come one after another; 0 of what is no unit."""
        unit = self.skeletons[place : place + length]
        sizes = self.sizes[place : place + length]
        if len(sizes) < length or min(sizes) == 0 or sum(sizes) < FEWEST_NODES:
            return 0
        count = 1
        while self.skeletons[place + count * length : place + (count + 1) * length] == unit:
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
    """Put a block around items.

    Names that count over the network count within the block, where several are called alike.
    """
    nodes = [item for item in items if isinstance(item, Node)]  # of no unit others: see `_size`
    stems = {own: re.sub(r"_?\d+$", "", own) or own for own in (n.path[depth] for n in nodes)}
    counts = Counter(stems.values())
    numbers: Counter[str] = Counter()
    renamed: dict[str, str] = {}
    for own, stem in stems.items():
        renamed[own] = f"{stem}{numbers[stem]}" if counts[stem] > 1 else identifier(stem)
        numbers[stem] += 1
    for node in nodes:
        own = renamed[node.path[depth]]
        node.path = (*node.path[:depth], name, own, *node.path[depth + 1 :])
        node.kinds = (*node.kinds[:depth], kind, *node.kinds[depth:])
