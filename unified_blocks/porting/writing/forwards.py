"""The forward of a block: statements in place of a graph."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from unified_blocks.porting.graph import Parameter, Value
from unified_blocks.porting.writing.naming import distinct
from unified_blocks.porting.writing.pieces import (
    Part,
    Piece,
    changed,
    text,
    values_in,
    written,
)

LONGEST = 56
"""How long an expression may be that is written into another."""
DEEPEST = 3
"""How many layers may be called in one expression."""
SPARE = ("x", "y", "z", "u", "v", "w")
"""Names of variables. Inputs with others, that say what they are, keep theirs."""


@dataclass(frozen=True)
class Step:
    """What a forward does at once: it gives some values by an expression of others."""

    outputs: tuple[Value, ...]
    piece: Piece
    gives: str = ""


@dataclass(frozen=True)
class Statement:
    """A line of a forward: an assignment; of no targets, what is returned.

    Attributes:
        targets: the names of variables.
        piece: the expression.
        gives: how it is taken apart, where there is more than a row of targets.
    """

    targets: tuple[str, ...]
    piece: Piece
    gives: str = ""

    @property
    def left(self) -> str:
        """What stands on the left."""
        if not self.gives:
            return ", ".join(self.targets)
        return re.sub(r"\(_(, _)*\)", "_", self.gives.format(*self.targets))


def statements(
    steps: Sequence[Step],
    inputs: Mapping[Value, str],
    outputs: Sequence[Value],
    comment: Callable[[Value, Value | None], str],
) -> list[Statement]:
    """The lines of a forward.

    Args:
        steps: in the order in which they run.
        inputs: the name of each argument.
        outputs: what is returned.
        comment: for a line that gives the first of two values, made of the second.
    """
    last = text(", ".join(["{}"] * len(outputs)), *outputs)
    folded = _folded([*steps, Step((), last)])
    return _named(folded, inputs, comment)


def _folded(steps: Sequence[Step]) -> list[Step]:
    """Fewer steps, in their order: what is used once, and is short, is written where it is used."""
    steps = _returned(steps)
    uses = Counter(value for step in steps for value in values_in(step.piece))
    held: dict[Value, tuple[int, Step, int]] = {}
    done: dict[int, Step] = {}
    for place, step in enumerate(steps):
        depths = [0]

        def fold(part: Part, depths: list[int] = depths) -> Part | None:
            if isinstance(part, Value) and part in held:
                _, inner, depth = held.pop(part)
                depths.append(depth)
                return inner.piece
            return None

        is_layer = _is_layer(step.piece)
        is_whole = not step.outputs and step.piece.head == "{}"
        length = len(_estimate(step.piece))
        for value in [value for value in values_in(step.piece) if value in held]:
            where, inner, depth = held[value]
            length += len(_estimate(inner.piece))
            ends = is_layer and not _is_layer(inner.piece) and depth > 1  # an activation, mostly
            if not is_whole and (ends or depth + is_layer > DEEPEST or length > LONGEST):
                done[where] = inner
                del held[value]
        whole = changed(step.piece, fold)
        if isinstance(whole, Value):  # it is returned as it was made
            whole = text("{}", whole)
        assert isinstance(whole, Piece)
        new = replace(step, piece=whole)
        if len(step.outputs) == 1 and uses[step.outputs[0]] == 1:
            held[step.outputs[0]] = place, new, max(depths) + is_layer
        else:
            done[place] = new
    return [done[place] for place in sorted(done)]


def _returned(steps: Sequence[Step]) -> Sequence[Step]:
    """The same where the last part gives all that is returned: it is returned as it is called."""
    if len(steps) < 2:
        return steps
    *before, step, last = steps
    several = len(step.outputs) > 1 and not step.gives and _is_layer(step.piece)
    if several and tuple(values_in(last.piece)) == step.outputs:
        return [*before, Step((), step.piece)]
    return steps


def _is_layer(piece: Piece) -> bool:
    """Whether a piece calls a part of the block; functions and signs are not counted as deep."""
    return any(
        isinstance(each, Piece) and each.head.startswith(("self", "getattr"))
        for each in piece.parts
    ) or piece.head.startswith("super")


def _estimate(piece: Piece) -> str:
    """About what a piece looks like: with short names for values."""
    return written(piece, "self.", dict.fromkeys(values_in(piece), "x"))


def _named(
    steps: Sequence[Step],
    inputs: Mapping[Value, str],
    comment: Callable[[Value, Value | None], str],
) -> list[Statement]:
    """The steps with a variable for each value; one that is not needed any more is used again."""
    ends: dict[Value, int] = {}
    for i, step in enumerate(steps):
        for value in values_in(step.piece):
            ends[value] = i
    names: dict[Value, str] = dict(inputs)
    live = {
        name: ends.get(value, -1) if name in SPARE else len(steps) for value, name in inputs.items()
    }
    done = []
    for i, step in enumerate(steps):
        used = list(dict.fromkeys(values_in(step.piece)))
        line = _with_names(step.piece, names)
        free = [names[v] for v in used if live.get(names[v], -1) <= i]
        free += [name for name, end in live.items() if end <= i and name not in free]
        targets = []
        for value in step.outputs:
            if value not in ends:
                targets.append("_")
                continue
            name = free.pop(0) if free else _fresh(live)
            names[value] = name
            live[name] = ends[value]
            targets.append(name)
        note = comment(step.outputs[0], used[0] if used else None) if step.outputs else ""
        done.append(Statement(tuple(targets), replace(line, comment=note), step.gives))
    return done


def _fresh(taken: Mapping[str, int]) -> str:
    return next((name for name in SPARE if name not in taken), None) or distinct("y", taken)


def _with_names(piece: Piece, names: Mapping[Value, str]) -> Piece:
    """A piece that names variables in the place of values."""

    def change(part: Part) -> Part | None:
        return text(names[part]) if isinstance(part, Value) else None

    found = changed(piece, change)
    assert isinstance(found, Piece)
    return found


def resolved(piece: Piece, own: Callable[[Parameter], Part]) -> Piece:
    """A piece whose parameters are attributes of the block, or written constants."""

    def change(part: Part) -> Part | None:
        return own(part) if isinstance(part, Parameter) else None

    found = changed(piece, change)
    assert isinstance(found, Piece)
    return found
