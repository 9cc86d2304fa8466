"""What a function must be told: the literals in which its calls differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from unified_blocks.porting.writing.keras.expressions import Leaf, number

Column = tuple[Any, ...]
ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "absent"})()
"""In place of a literal of a statement that a call does not run."""


@dataclass
class Argument:
    """What a function must be told.

    Attributes:
        name: of it.
        values: in each call.
        default: what it is when a call does not say; `...` where each call must.
    """

    name: str
    values: Column
    default: Any = ...

    @property
    def hint(self) -> str:
        """Its type."""
        found = dict.fromkeys(map(_hint, self.values))
        return " | ".join(sorted(found, key=lambda hint: (hint == "None", "[" in hint)))


def _hint(value: Any) -> str:
    if isinstance(value, tuple):
        return f"tuple[{', '.join(map(_hint, value)) or '()'}]"
    return "None" if value is None else type(value).__name__


def arguments(columns: Sequence[tuple[Leaf, Column]]) -> tuple[list[Argument], dict[int, str]]:
    """The arguments of a function, and the expression of each literal that differs.

    Args:
        columns: for each literal of the function, what it is for, and its value in each call;
            `ABSENT` where a call does not need it.
    """
    found: dict[str, Argument] = {}
    texts: dict[int, str] = {}
    for place in sorted(range(len(columns)), key=lambda place: _size(columns[place][1])):
        leaf, values = columns[place]
        present = [value for value in values if value is not ABSENT]
        if len(set(map(repr, present))) < 2:
            continue
        text = _of_another(values, found)
        if text is None:
            text, own = f"{{{place}}}", leaf.default if leaf.default in present else ...
            if len(present) < len(values):  # a call that does not need it does not say it
                own = present[0] if own is ... else own
                values = tuple(own if value is ABSENT else value for value in values)
            found[text] = Argument(leaf.name, values, own)
        texts[place] = text
    names = _named(found)
    texts = {
        place: re.sub(r"\{\d+\}", lambda match: names[match[0]], text)
        for place, text in texts.items()
    }
    ordered = sorted(found, key=lambda text: (found[text].default is not ..., int(text[1:-1])))
    return [found[text] for text in ordered], texts


def _size(column: Column) -> Any:
    """Columns of all calls come first, then those of small numbers, of which others are made."""
    present = [value for value in column if value is not ABSENT]
    whole = all(type(value) is int for value in present)
    return (len(present) < len(column), not whole, sum(present) if whole else 0)


def _of_another(values: Column, found: dict[str, Argument]) -> str | None:
    """A column as an expression of an argument that there is."""
    for text, argument in found.items():
        pairs = [(v, b) for v, b in zip(values, argument.values, strict=True) if v is not ABSENT]
        if all(repr(value) == repr(base) for value, base in pairs):
            return text
    for text, argument in found.items():
        pairs = [(v, b) for v, b in zip(values, argument.values, strict=True) if v is not ABSENT]
        if (factor := _factor(pairs)) is not None:
            return f"{factor} * {text}"
    kinds = [*dict.fromkeys(value for value in values if isinstance(value, str))]
    if len(kinds) == 2 and ABSENT not in values:
        for text, argument in found.items():
            if not all(type(base) is int for base in argument.values):
                continue
            for one, other in (kinds, kinds[::-1]):
                if all((v == one) == (b > 1) for v, b in zip(values, argument.values, strict=True)):
                    return f"{number(other)} if {text} == 1 else {number(one)}"
    return None


def _factor(pairs: Sequence[tuple[Any, Any]]) -> int | None:
    """By what whole number each value is larger."""
    if not all(type(value) is int and type(base) is int and base for value, base in pairs):
        return None
    factors = {value // base if value % base == 0 else None for value, base in pairs}
    (factor,) = factors if len(factors) == 1 else (None,)
    return factor if factor is not None and factor > 1 else None


def _named(found: dict[str, Argument]) -> dict[str, str]:
    """Give each argument a name that no other has: where two have one, all like it have numbers.

    `filters1` of a function that is called, `filters` and `filters` are three of one name.
    """
    alike: dict[str, list[Argument]] = {}
    for text in sorted(found, key=lambda text: int(text[1:-1])):
        alike.setdefault(found[text].name.rstrip("0123456789"), []).append(found[text])
    for stem, those in alike.items():
        if len({argument.name for argument in those}) < len(those):
            for i, argument in enumerate(those, 1):
                argument.name = f"{stem}{i}"
    return {text: argument.name for text, argument in found.items()}
