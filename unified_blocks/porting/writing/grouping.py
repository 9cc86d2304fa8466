"""Equal code in many places, written once: what differs becomes arguments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from unified_blocks.porting.writing.naming import distinct
from unified_blocks.porting.writing.pieces import (
    CHANNELS,
    REQUIRED,
    Part,
    Piece,
    Ref,
    Slot,
    call,
    changed,
    common_comments,
    defaults_of,
    progression,
    same,
    skeleton,
    slots,
    text,
    with_slots,
    without_comments,
)

GROUPS = "groups"
"""The hint of a number of groups, which of a depthwise convolution is one of channels."""

POSITIONAL = (CHANNELS, "kernel_size")
"""The hints of arguments that are given without their names."""


@dataclass(frozen=True)
class Argument:
    """An argument of a class or function.

    Attributes:
        name: of it.
        type: as an annotation says it.
        default: its value where it is left out; `REQUIRED` where it never is.
        hint: of the numbers that it is written for.
    """

    name: str
    type: str
    default: Any
    hint: str


@dataclass(frozen=True)
class Abstracted:
    """What several pieces have in common, and how each of them is asked for.

    Attributes:
        parts: the common code, with references to the arguments.
        arguments: in the order of a call.
        values: for each of the pieces, the value of each argument.
    """

    parts: tuple[Part, ...]
    arguments: tuple[Argument, ...]
    values: tuple[tuple[Any, ...], ...]

    def call(self, callee: str, which: int) -> Piece:
        """The call that asks for one of the pieces."""
        positional, options = [], {}
        for argument, value in zip(self.arguments, self.values[which], strict=True):
            slot = Slot(value, argument.hint)
            if argument.default is REQUIRED and argument.hint in POSITIONAL:
                positional.append(slot)
            else:
                options[argument.name] = (slot, argument.default)
        return call(callee, *positional, **options)


def abstracted(
    pieces: Sequence[Sequence[Part]], taken: Sequence[Any], given: Sequence[Any]
) -> Abstracted:
    """The common code of pieces that have one skeleton.

    Args:
        pieces: the parts of each.
        taken, given: how many channels each takes and gives, after which arguments are named.
    """
    first = pieces[0]
    rows = [[slot for part in parts for slot in slots(part)] for parts in pieces]
    defaults = [default for part in first for default in defaults_of(part)]
    columns = [tuple(slot.value for slot in column) for column in zip(*rows, strict=True)]
    hints = [slot.hint for slot in rows[0]]
    varying = [
        i for i, column in enumerate(columns) if any(not same(each, column[0]) for each in column)
    ]
    hints = [_family(i, hints, columns, varying) for i in range(len(hints))]
    keys: dict[Any, list[int]] = {}
    for i in varying:
        keys.setdefault((hints[i], repr(columns[i])), []).append(i)
    bases = _bases({key: columns[places[0]] for key, places in keys.items()})
    own = [key for key, (base, _) in bases.items() if base == key]
    only = sum(hint == CHANNELS for hint, _ in own) == 1
    names = _numbered(
        {key: _name(key[0], columns[keys[key][0]], tuple(taken), tuple(given), only) for key in own}
    )
    arguments: list[Argument] = []
    values: list[tuple[Any, ...]] = []
    for key in own:
        column = columns[keys[key][0]]
        default = next((defaults[i] for i in keys[key] if defaults[i] is not REQUIRED), REQUIRED)
        if not any(same(each, default) for each in column):
            default = REQUIRED
        arguments.append(Argument(names[key], _type(column), default, key[0]))
        values.append(column)
    order = sorted(range(len(arguments)), key=lambda i: _order(arguments[i]))
    new = dict(enumerate(rows[0]))
    for key, places in keys.items():
        base, factor = bases[key]
        new |= {i: Slot(Ref(names[base], factor), rows[0][i].hint) for i in places}
    fresh = iter(new[i] for i in range(len(new)))
    parts = tuple(
        with_slots(common_comments(part, [parts[i] for parts in pieces]), fresh)
        for i, part in enumerate(first)
    )
    return _counted(
        Abstracted(
            parts,
            tuple(arguments[i] for i in order),
            tuple(tuple(values[i][which] for i in order) for which in range(len(pieces))),
        )
    )


def _numbered(names: dict[Any, str]) -> dict[Any, str]:
    """Names of arguments, with numbers where several would be called the same."""
    counts = Counter(names.values())
    found: dict[Any, str] = {}
    numbers: Counter[str] = Counter()
    for key, name in names.items():
        numbers[name] += 1
        wanted = name if counts[name] == 1 else f"{name}{numbers[name]}"
        found[key] = distinct(wanted, found.values())
    return found


def _counted(common: Abstracted) -> Abstracted:
    """The same with how many blocks there are in all, where a loop makes those after the first."""
    *before, last = common.parts
    if not before or not isinstance(last, Piece) or last.head != LOOP.format("_"):
        return common
    count = list(slots(last))[-1].value
    if count != Ref(BLOCKS, 1) or not all(isinstance(p, Piece) and p.is_call for p in before):
        return common
    place = [argument.name for argument in common.arguments].index(BLOCKS)
    loop = replace(last, head=LOOP.format("_").replace("range(", f"range({len(before)}, "))
    values = tuple(
        (*row[:place], row[place] + len(before), *row[place + 1 :]) for row in common.values
    )
    return replace(common, parts=(*before, loop), values=values)


def _family(
    place: int, hints: Sequence[str], columns: Sequence[tuple[Any, ...]], varying: Sequence[int]
) -> str:
    """The hint of a number; as many groups as channels are channels."""
    if hints[place] == GROUPS and any(
        hints[i] == CHANNELS and columns[i] == columns[place] for i in varying
    ):
        return CHANNELS
    return hints[place]


def _bases(columns: dict[Any, tuple[Any, ...]]) -> dict[Any, tuple[Any, int]]:
    """For each column the one that it is a whole multiple of, and the factor; itself by 1."""
    found: dict[Any, tuple[Any, int]] = {}
    ordered = sorted(
        (key for key in columns if key[0] == CHANNELS), key=lambda key: sum(columns[key])
    )
    for key in columns:
        found[key] = (key, 1)
        if key[0] != CHANNELS:
            continue
        for smaller in ordered:
            if smaller == key:
                break
            ratios = {
                divmod(a, b) if b else (0, 1)
                for a, b in zip(columns[key], columns[smaller], strict=True)
            }
            if len(ratios) == 1 and next(iter(ratios))[1] == 0:
                found[key] = (smaller, next(iter(ratios))[0])
                break
    return found


def _name(
    hint: str, column: tuple[Any, ...], taken: tuple[Any, ...], given: tuple[Any, ...], only: bool
) -> str:
    if hint != CHANNELS:
        return hint
    if column == taken and (column != given or not only):
        return "in_channels"
    if column == given and not only:
        return "out_channels"
    return "channels"


def _order(argument: Argument) -> tuple[bool, int]:
    """Those without a default first; of these, channels in the order in which they flow."""
    places = {"in_channels": 0, "out_channels": 2}
    if argument.hint == CHANNELS:
        return argument.default is not REQUIRED, places.get(argument.name, 1)
    return argument.default is not REQUIRED, 4 if argument.hint in POSITIONAL else 5


def _type(column: Sequence[Any]) -> str:
    def of(value: Any) -> str:
        if value is None:
            return "None"
        if isinstance(value, tuple):
            return f"tuple[{', '.join(of(each) for each in value) or '()'}]"
        return type(value).__name__

    kinds = list(dict.fromkeys(of(value) for value in column))
    kinds.sort(key=lambda kind: (kind == "None", kind.startswith("tuple")))
    return " | ".join(kinds)


LOOP = "*({{}} for {} in range({{}}))"
"""A loop in a row, `{}` for its variable."""
BLOCKS = "blocks"
"""The hint of how many blocks a loop makes."""
LEAST = 3
"""How many equal things in a row are written as a loop, where they are not long."""


def with_loops(
    parts: Sequence[Part], variable: str, long: Callable[[Part], bool], hint: Callable[[Part], str]
) -> list[Part]:
    """Things in a row, with loops for those that are equal, or progress by equal steps.

    Args:
        parts: the things.
        variable: of the loop.
        long: whether two in a row, too, are worth a loop.
        hint: of how often a thing comes.
    """
    done: list[Part] = []
    start = 0
    while start < len(parts):
        end = start + 1
        while end < len(parts) and _follows(parts[start : end + 1]):
            end += 1
        run = parts[start:end]
        if len(run) >= (2 if long(run[0]) and not _steps(run) else LEAST):
            done.append(_loop(run, variable, hint(run[0])))
        else:
            run = parts[start : (end := start + 1)]
            done += run
        start = end
    return done


def _steps(run: Sequence[Part]) -> bool:
    """Whether something changes from each to the next."""
    columns = zip(*(slots(each) for each in run), strict=True)
    return any(not same(each.value, column[0].value) for column in columns for each in column)


def _follows(run: Sequence[Part]) -> bool:
    """Whether all differ by the same steps, of channels only."""
    if skeleton(run[-1]) != skeleton(run[0]) or not isinstance(run[0], Piece):
        return False
    if run[0].head.startswith("*"):
        return False
    for column in zip(*(list(slots(each)) for each in run), strict=True):
        numbers = [slot.value for slot in column]
        if all(same(each, numbers[0]) for each in numbers):
            continue
        if column[0].hint != CHANNELS:
            return False
        if len({b - a for a, b in pairwise(numbers)}) != 1:
            return False
    return True


def _loop(run: Sequence[Part], variable: str, hint: str) -> Piece:
    first, second = list(slots(run[0])), list(slots(run[1]))
    moves = [not same(a.value, b.value) for a, b in zip(first, second, strict=True)]
    change: Iterator[Part] = (
        progression(a, Slot(b.value - a.value, "growth"), variable) if moved else a
        for a, b, moved in zip(first, second, moves, strict=True)
    )
    body = changed(
        without_comments(run[0]), lambda part: next(change) if isinstance(part, Slot) else None
    )
    head = LOOP.format(variable if any(moves) else "_")
    return text(head, body, Slot(len(run), hint))
