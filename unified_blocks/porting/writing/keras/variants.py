"""Blocks of one class that differ in a few statements, as one function that may leave these out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

from unified_blocks.porting.writing.keras.blocks import Block, Held
from unified_blocks.porting.writing.keras.expressions import (
    Call,
    Index,
    Infix,
    Leaf,
    Row,
    Shared,
    Step,
    Tensor,
    form,
    tensors,
)


@dataclass(eq=False)
class Line:
    """A statement, or a call of a function, in a body.

    Attributes:
        item: what.
        inside: how long the path of the block is that it was written in.
        reads, outputs: what it takes and gives.
        function: that it calls.
        literals: those that it is written with.
        present: the variants of a function that have it.
        place: of its first literal among those of the body.
        repeated: the calls that a loop does, this one the first.
    """

    item: Step | Block
    inside: int
    reads: tuple[Held, ...]
    outputs: tuple[Held, ...]
    function: Any = None
    literals: list[Leaf] = field(default_factory=list)
    present: frozenset[int] = frozenset({0})
    place: int = 0
    repeated: list[Line] = field(default_factory=list)

    @property
    def signature(self) -> Any:
        """Equal for two lines that do the same to whatever they take."""
        if self.repeated:
            place, *_ = ranged([line.item.path for line in self.repeated]) or (0,)
            path = [*self.item.path[self.inside :]]
            path[place - self.inside] = numbered(path[place - self.inside])[0]
            return "loop", tuple(path), id(self.function), len(self.reads)
        if isinstance(self.item, Step):
            return form(self.item.expression, lambda held: type(held).__name__, self.inside)
        return self.item.path[self.inside :], id(self.function), len(self.reads)

    def reading(self, others: dict[Held, Held]) -> Line:
        """The same line that takes other tensors."""
        item = self.item
        if isinstance(item, Step):
            item = Step(item.outputs, _reading(item.expression, others), item.path)
        reads = tuple(others.get(held, held) for held in self.reads)
        return replace(self, item=item, reads=reads)


def _reading(expression: Any, others: dict[Held, Held]) -> Any:
    if isinstance(expression, Tensor | Shared):
        return others.get(expression, expression)
    if isinstance(expression, Call):
        function = expression.function
        return Call(
            function if isinstance(function, str) else _reading(function, others),
            tuple(_reading(each, others) for each in expression.arguments),
            tuple((keyword, _reading(each, others)) for keyword, each in expression.keywords),
        )
    if isinstance(expression, Infix):
        return Infix(expression.sign, tuple(_reading(each, others) for each in expression.operands))
    if isinstance(expression, Index):
        return Index(_reading(expression.value, others), expression.inside)
    if isinstance(expression, Row):
        return Row(tuple(_reading(each, others) for each in expression.items), expression.brackets)
    return expression


@dataclass
class Run:
    """Statements in a row that only some variants have.

    Attributes:
        start, stop: the places of the first, and after the last.
        present: the variants.
        instead: what others have in place of what the run gives.
    """

    start: int
    stop: int
    present: frozenset[int]
    instead: Held


class DifferentError(Exception):
    """Two variants that are no variants of each other."""


class Union:
    """The statements of several variants in one.

    Attributes:
        lines: all, each with the variants that have it.
        places: for each variant, the places of its lines.
        reads, outputs: what the function takes and gives.
    """

    def __init__(
        self, lines: Sequence[Line], reads: Sequence[Held], outputs: Sequence[Held]
    ) -> None:
        self.lines = list(lines)
        self.reads, self.outputs = tuple(reads), tuple(outputs)
        self.places: list[list[int]] = [list(range(len(self.lines)))]
        self._instead: dict[Held, Held] = {}

    def add(self, lines: Sequence[Line], reads: Sequence[Held], outputs: Sequence[Held]) -> None:
        """Add a variant.

        Raises:
            DifferentError: where it differs in more than statements that can be left out.
        """
        if len(reads) != len(self.reads) or len(outputs) != len(self.outputs):
            raise DifferentError
        number = len(self.places)
        here: dict[Held, Held] = dict(zip(reads, self.reads, strict=True))
        found: list[Line] = []
        moved: dict[int, int] = {}
        own: list[int] = []
        fresh: set[Held] = set()
        mine, theirs = [x.signature for x in self.lines], [x.signature for x in lines]
        matcher = SequenceMatcher(None, mine, theirs, autojunk=False)
        makers = {held: line for line in self.lines for held in line.outputs}
        for _, i, stop, j, end in matcher.get_opcodes():
            both = mine[i:stop] == theirs[j:end]
            for a in range(i, stop):
                line = self.lines[a]
                if both:
                    other = lines[j + a - i]
                    line = self._joined(line, other, here, makers, fresh, number)
                    here.update(zip(other.outputs, line.outputs, strict=True))
                    own.append(len(found))
                moved[a] = len(found)
                found.append(line)
            for b in range(j, end) if not both else ():
                line = replace(lines[b].reading(here), present=frozenset({number}))
                fresh.update(line.outputs)
                here.update((held, held) for held in line.outputs)
                own.append(len(found))
                found.append(line)
        self.outputs = tuple(
            self._read(a, here[b], makers, fresh, number)
            for a, b in zip(self.outputs, outputs, strict=True)
        )
        self.lines = found
        self.places = [[moved[place] for place in places] for places in self.places] + [own]

    def _joined(
        self, line: Line, other: Line, here: dict[Held, Held], makers: dict[Held, Line],
        fresh: set[Held], number: int,
    ) -> Line:  # fmt: skip
        mine, theirs = _taken(line), [here[held] for held in _taken(other)]
        if len(mine) != len(theirs):
            raise DifferentError
        changed: dict[Held, Held] = {}
        for a, b in zip(mine, theirs, strict=True):
            if changed.setdefault(a, c := self._read(a, b, makers, fresh, number)) is not c:
                raise DifferentError
        return replace(line.reading(changed), present=line.present | {number})

    def _read(
        self, mine: Held, theirs: Held, makers: dict[Held, Line], fresh: set[Held], number: int
    ) -> Held:
        """What stands for one tensor in earlier variants and for another in a new one."""
        if mine is theirs:
            return mine
        if theirs in fresh:
            if self._instead.setdefault(theirs, mine) is not mine:
                raise DifferentError
            return theirs
        held, seen = mine, {mine}
        while held is not theirs:
            if held not in makers or number in makers[held].present:
                raise DifferentError
            if held in self._instead:
                held = self._instead[held]
                if held in seen:
                    raise DifferentError
                seen.add(held)
            else:
                self._instead[held] = held = theirs
        return mine

    def runs(self) -> list[Run]:
        """What can be left out.

        Raises:
            DifferentError: where it is no chain that gives one tensor instead of another.
        """
        every = frozenset(range(len(self.places)))
        found: list[Run] = []
        i = 0
        while i < len(self.lines):
            start, present = i, self.lines[i].present
            while i < len(self.lines) and self.lines[i].present == present:
                i += 1
            if present != every:
                found.append(self._run(start, i, present))
        return found

    def _run(self, start: int, stop: int, present: frozenset[int]) -> Run:
        lines = self.lines[start:stop]
        for before, line in pairwise(lines):
            users = [each for each in self.lines if before.outputs[0] in each.reads]
            if users != [line] or len(before.outputs) != 1:
                raise DifferentError
        if len(lines[-1].outputs) != 1 or lines[-1].outputs[0] not in self._instead:
            raise DifferentError
        return Run(start, stop, present, self._instead[lines[-1].outputs[0]])


def _taken(line: Line) -> list[Held]:
    if isinstance(line.item, Step):
        return list(tensors(line.item.expression))
    return list(line.reads)


def ranged(paths: list[tuple[str, ...]]) -> tuple[int, int, int, int] | None:
    """The place where paths differ by a number that grows evenly; its first, last and step.

    The number is a name, `3`, or the end of one, `unit3`.
    """
    if len({len(path) for path in paths}) != 1:
        return None
    places = [i for i, parts in enumerate(zip(*paths, strict=True)) if len(set(parts)) > 1]
    if len(places) != 1:
        return None
    names = [numbered(path[places[0]]) for path in paths]
    if len({stem for stem, _ in names}) != 1 or not all(digits for _, digits in names):
        return None
    numbers = [int(digits) for _, digits in names]
    steps = {b - a for a, b in pairwise(numbers)}
    if len(steps) != 1 or min(steps) < 1:
        return None
    return places[0], numbers[0], numbers[-1], min(steps)


def numbered(name: str) -> tuple[str, str]:
    """A name without the number at its end, and that number."""
    stem = name.rstrip("0123456789")
    digits = name[len(stem) :]
    return (stem, digits) if str(int(digits or 0)) == (digits or "0") else (name, "")
