"""Pieces of source code whose numbers are still apart, so that equal code is seen to be equal."""

from __future__ import annotations

import ast
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeAlias

from unified_blocks.porting.graph import Value
from unified_blocks.porting.writing.layout import marked

REQUIRED: Any = object()
"""The default of an argument that has none."""

CHANNELS = "channels"
"""The hint of a number of channels or features, of which others may be multiples."""


@dataclass(frozen=True)
class Ref:
    """An argument of a class or function, or a multiple of it."""

    name: str
    factor: int = 1


@dataclass(frozen=True)
class Slot:
    """A number of the source, or another plain value.

    Attributes:
        value: a plain Python value, or a `Ref`.
        hint: a name for it, where it must become an argument.
    """

    value: Any
    hint: str


@dataclass(frozen=True)
class Piece:
    """A piece of source code.

    Attributes:
        head: of a call, what is called; otherwise a template with a `{}` for each part.
        parts: what it is made of.
        names: of a call, the keyword of each part; empty for a positional one.
        defaults: of a call, for each part, the value for which it is left out.
        is_call: whether it is a call.
        comment: stands behind it, where it has a line of its own.
    """

    head: str
    parts: tuple[Part, ...] = ()
    names: tuple[str, ...] = ()
    defaults: tuple[Any, ...] = ()
    is_call: bool = False
    comment: str = ""


Part: TypeAlias = "Piece | Slot | Value"


def text(template: str, *parts: Part) -> Piece:
    """Source as it stands, with a part for each `{}`."""
    return Piece(template, parts)


def call(callee: str, *parts: Part, **options: tuple[Any, Any] | Part) -> Piece:
    """A call.

    Args:
        callee: what is called.
        *parts: its positional arguments.
        **options: value and default of each keyword, hinted by its name; or a part, which is
            always written.
    """
    names, defaults, all_parts = [""] * len(parts), [REQUIRED] * len(parts), list(parts)
    for name, given in options.items():
        part, default = given if isinstance(given, tuple) else (given, REQUIRED)
        all_parts.append(part if isinstance(part, Piece | Slot | Value) else Slot(part, name))
        names.append(name)
        defaults.append(default)
    return Piece(callee, tuple(all_parts), tuple(names), tuple(defaults), True)


def slots(part: Part) -> Iterator[Slot]:
    """All numbers of a piece, in order."""
    if isinstance(part, Slot):
        yield part
    elif isinstance(part, Piece):
        for each in part.parts:
            yield from slots(each)


def defaults_of(part: Part, default: Any = REQUIRED) -> Iterator[Any]:
    """For each number of a piece, the value for which it is left out."""
    if isinstance(part, Slot):
        yield default
    elif isinstance(part, Piece):
        for each, own in zip(part.parts, part.defaults or (REQUIRED,) * 99, strict=False):
            yield from defaults_of(each, own)


def values_in(part: Part) -> Iterator[Value]:
    """All values of the graph that a piece names, as often as it does."""
    if isinstance(part, Value):
        yield part
    elif isinstance(part, Piece):
        for each in part.parts:
            yield from values_in(each)


def skeleton(part: Part) -> Any:
    """What is equal for pieces that differ in their numbers and comments only."""
    if isinstance(part, Slot):
        return part.hint
    if isinstance(part, Value):
        return part
    return part.head, part.names, tuple(map(skeleton, part.parts))


def changed(part: Part, change: Callable[[Part], Part | None]) -> Part:
    """A piece with some parts replaced: `change` gives the new one, or None to look inside."""
    new = change(part)
    if new is not None:
        return new
    if not isinstance(part, Piece):
        return part
    return replace(part, parts=tuple(changed(each, change) for each in part.parts))


def with_slots(part: Part, values: Iterator[Slot]) -> Part:
    """A piece with other numbers, in the same order."""
    return changed(part, lambda each: next(values) if isinstance(each, Slot) else None)


def without_comments(part: Part) -> Part:
    """A piece that says less."""
    if not isinstance(part, Piece):
        return part
    return replace(part, comment="", parts=tuple(map(without_comments, part.parts)))


def common_comments(part: Part, others: Sequence[Part]) -> Part:
    """A piece with those comments that all the others have, too."""
    if not isinstance(part, Piece):
        return part
    same = all(isinstance(each, Piece) and each.comment == part.comment for each in others)
    parts = tuple(
        common_comments(each, [o.parts[i] for o in others if isinstance(o, Piece)])
        for i, each in enumerate(part.parts)
    )
    return replace(part, comment=part.comment if same else "", parts=parts)


def bound(part: Part, arguments: Mapping[str, Part]) -> Part:
    """A piece of a function, with the arguments of a call in the place of their names."""

    def change(each: Part) -> Part | None:
        if isinstance(each, Slot) and isinstance(each.value, Ref):
            return scaled(arguments[each.value.name], each.value.factor, each.hint)
        return None

    return changed(part, change)


def scaled(part: Part, factor: int, hint: str) -> Part:
    """A multiple of a number."""
    if isinstance(part, Slot):
        value = part.value
        if isinstance(value, Ref):
            return Slot(Ref(value.name, value.factor * factor), hint)
        return Slot(value if factor == 1 else value * factor, hint)
    if isinstance(part, Value):
        raise TypeError(f"a number must be known when a network is made; got {part.name}")
    return replace(part, parts=tuple(scaled(each, factor, hint) for each in part.parts))


def progression(start: Slot, step: Slot, variable: str) -> Piece:
    """`start + step * i`; its multiples are of the same form."""
    return Piece("{} + {} * " + variable, (start, step))


def written(part: Part, own: str = "", names: Mapping[Value, str] | None = None) -> str:
    """The source of a piece, on one line.

    Args:
        part: a piece.
        own: what stands before the name of an argument: `self.` outside of the constructor.
        names: of the values of the graph.
    """
    if isinstance(part, Slot):
        return literal(part.value, own)
    if isinstance(part, Value):
        return (names or {})[part]
    inside = [written(each, own, names) for each in part.parts]
    note = marked(part.comment)
    if not part.is_call:
        need, _ = bindings(part.head)
        shown = [
            f"({each})" if binding_of(sub, each) < least else each
            for sub, each, least in zip(part.parts, inside, need, strict=True)
        ]
        return part.head.format(*shown) + note
    given = []
    for each, source, name, default in zip(
        part.parts, inside, part.names, part.defaults, strict=True
    ):
        left_out = isinstance(each, Slot) and default is not REQUIRED and same(each.value, default)
        if not left_out:
            given.append(f"{name}={source}" if name else source)
    return f"{part.head}({', '.join(given)})" + note


def same(value: Any, default: Any) -> bool:
    """Whether a value is its default, and of the same kind."""
    return type(value) is type(default) and bool(value == default)


def literal(value: Any, own: str = "") -> str:
    """A plain value, as it is written."""
    if isinstance(value, Ref):
        name = own + value.name
        return name if value.factor == 1 else f"{value.factor} * {name}"
    if isinstance(value, str):
        return '"' + repr("'" + value)[2:-1].replace('"', '\\"') + '"'
    if isinstance(value, tuple):
        inner = ", ".join(literal(each, own) for each in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "math.inf" if value > 0 else "-math.inf"
    return repr(value).replace("e+", "e")


# How strongly an expression binds: what stands inside another must bind as strongly as it needs

ATOM = 9
LEVELS: dict[type, int] = {ast.Pow: 7, ast.Mult: 5, ast.Div: 5, ast.FloorDiv: 5, ast.Mod: 5}
LEVELS |= {ast.MatMult: 5, ast.Add: 4, ast.Sub: 4, ast.BitAnd: 3, ast.BitOr: 2}


@cache
def bindings(template: str) -> tuple[tuple[int, ...], int]:
    """How strongly each part of a template must bind, and how strongly the whole does."""
    count = sum(field is not None for _, field, _, _ in string.Formatter().parse(template))
    try:
        tree = ast.parse(
            template.format(*(f"part_{i}_" for i in range(count))).lstrip("*"), mode="eval"
        ).body
    except SyntaxError:
        return (0,) * count, ATOM
    needs = dict.fromkeys(range(count), 0)

    def visit(node: ast.AST, least: int) -> None:
        if isinstance(node, ast.Name) and node.id.startswith("part_"):
            needs[int(node.id.split("_")[1])] = least
        elif isinstance(node, ast.BinOp):
            own = _level(node)
            visit(node.left, own)
            visit(node.right, own + 1)
        elif isinstance(node, ast.UnaryOp):
            visit(node.operand, _level(node))
        elif isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                visit(side, 2)
        elif isinstance(node, ast.Attribute | ast.Subscript):
            visit(node.value, ATOM)
            if isinstance(node, ast.Subscript):
                visit(node.slice, 0)
        elif isinstance(node, ast.Call):
            visit(node.func, ATOM)
            for each in (*node.args, *(keyword.value for keyword in node.keywords)):
                visit(each, 0)
        else:
            for child in ast.iter_child_nodes(node):
                visit(child, 0)

    visit(tree, 0)
    return tuple(needs.values()), _level(tree)


def _level(node: ast.AST) -> int:
    if isinstance(node, ast.BinOp):
        return LEVELS[type(node.op)]
    if isinstance(node, ast.UnaryOp):
        return 1 if isinstance(node.op, ast.Not) else 6
    if isinstance(node, ast.Compare):
        return 1
    return 0 if isinstance(node, ast.IfExp | ast.Lambda | ast.BoolOp) else ATOM


def binding_of(part: Part, source: str) -> int:
    """How strongly the source of a part binds."""
    if isinstance(part, Piece):
        return ATOM if part.is_call else bindings(part.head)[1]
    if isinstance(part, Slot):
        if isinstance(part.value, Ref):
            return ATOM if part.value.factor == 1 else LEVELS[ast.Mult]
        return 6 if source.startswith("-") else ATOM
    return ATOM
