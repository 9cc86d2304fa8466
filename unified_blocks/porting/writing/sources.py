"""The text of classes and functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from unified_blocks.porting.writing.definitions import Definition
from unified_blocks.porting.writing.dialect import Dialect
from unified_blocks.porting.writing.grouping import Argument
from unified_blocks.porting.writing.layout import WIDTH, laid_out
from unified_blocks.porting.writing.naming import is_name
from unified_blocks.porting.writing.pieces import (
    REQUIRED,
    Part,
    Piece,
    Ref,
    literal,
    slots,
    written,
)

LOOP = re.compile(r"\b_i\d+\b")
VARIABLES = "ijklmn"


def source_of(definition: Definition, dialect: Dialect, ending: Sequence[str] = ()) -> str:
    """The text of a class or function.

    Args:
        definition: of it.
        dialect: of the target.
        ending: lines at the end of its constructor.
    """
    definition.parts = [_quiet(part) for part in definition.parts]
    made = (
        _function(definition, dialect)
        if definition.is_function
        else _class(definition, dialect, ending)
    )
    return _with_variables("\n".join(made))


def _with_variables(source: str) -> str:
    """The loops with short variables; of one in another, another."""
    found = list(dict.fromkeys(LOOP.findall(source)))
    found.sort(key=lambda name: -int(name[2:]))
    nested = any(len(set(LOOP.findall(line))) > 1 for line in source.split("\n"))
    for place, name in enumerate(found):
        source = re.sub(rf"\b{name}\b", VARIABLES[place if nested else 0], source)
    return source


def _quiet(part: Part) -> Part:
    """A piece without the comments that the last of its parts has, too."""
    if not isinstance(part, Piece):
        return part
    parts = tuple(map(_quiet, part.parts))
    last = next((each.comment for each in reversed(parts) if isinstance(each, Piece)), "")
    comment = "" if part.is_call and last == part.comment else part.comment
    return replace(part, parts=parts, comment=comment)


def _signature(arguments: Sequence[Argument]) -> list[str]:
    return [
        f"{each.name}: {each.type}"
        + ("" if each.default is REQUIRED else f" = {literal(each.default)}")
        for each in arguments
    ]


def _function(definition: Definition, dialect: Dialect) -> list[str]:
    base = definition.draft.base
    head = f"def {definition.name}({', '.join(_signature(definition.arguments))}) -> {base}:"
    body = dialect.row(base, definition.parts)
    return [*laid_out(head), *laid_out(f"return {written(body)}", 4)]


def _class(definition: Definition, dialect: Dialect, ending: Sequence[str]) -> list[str]:
    draft = definition.draft
    lines = [f"class {definition.name}({draft.base}):"]
    for name, tensor, _ in draft.tensors:
        if dialect.held and tensor.role in ("constant", "statistic"):
            lines.append(f"    {name}: {dialect.tensor}")
    if len(lines) > 1:
        lines.append("")
    parts = iter(definition.parts)
    if draft.children or draft.tensors or definition.arguments or ending:
        given = ", ".join(["self", *_signature(definition.arguments)])
        lines += laid_out(f"def __init__({given}) -> None:", 4)
    lines += [] if draft.statements else _row(definition, dialect)
    if len(lines) > 1 and draft.statements:
        lines += _attributes(definition, [next(parts) for _ in draft.children], dialect)
        for name, tensor, _ in draft.tensors:
            piece = next(parts)
            is_held = dialect.held and tensor.role in ("constant", "statistic")
            assigned = dialect.held if is_held else "self.{} = {}"
            lines += laid_out(assigned.format(name, written(piece)), 8)
    lines += [f"        {line}" if line else "" for line in ending]
    if draft.statements:
        lines += [""] if len(lines) > 1 else []
        lines += _forward(definition, list(parts), dialect)
    return lines


def _row(definition: Definition, dialect: Dialect) -> list[str]:
    """The constructor of layers in a row."""
    row = dialect.row(definition.draft.base, definition.parts)
    return laid_out(written(replace(row, head="super().__init__")), 8)


def _attributes(definition: Definition, parts: Sequence[Part], dialect: Dialect) -> list[str]:
    """The constructor of a block with a forward."""
    lines, first = [], "super().__init__()"
    for (name, _), part in zip(definition.draft.children, parts, strict=True):
        assert isinstance(part, Piece)
        if not name:
            first = written(replace(part, head="super().__init__", comment=""))
        elif is_name(name) and name not in dialect.attributes:
            lines += laid_out(f"self.{name} = {written(part)}", 8)
        else:
            lines += laid_out(dialect.assigned.format(name, written(part)), 8)
    kept = dict.fromkeys(
        slot.value.name
        for part in definition.parts[-len(definition.draft.statements) :]
        for slot in slots(part)
        if isinstance(slot.value, Ref)
    )
    lines += [f"        self.{name} = {name}" for name in kept]
    return [*laid_out(first, 8), *lines]


def _forward(definition: Definition, parts: Sequence[Part], dialect: Dialect) -> list[str]:
    draft = definition.draft
    given = ["self", *(f"{name}: {dialect.tensor}" for name in draft.inputs)]
    count = len(draft.scope.outputs)
    each = ", ".join([dialect.tensor] * count)
    result = dialect.tensor if count == 1 else f"tuple[{each}]"
    lines = _head(given, result)
    for statement, part in zip(draft.statements, parts, strict=True):
        start = f"{statement.left} = " if statement.targets else "return "
        lines += laid_out(start + written(part, "self."), 8)
    return lines


def _head(given: Sequence[str], result: str) -> list[str]:
    """The first lines of a forward; what it takes is divided before what it gives."""
    whole = f"    def forward({', '.join(given)}) -> {result}:"
    if len(whole) <= WIDTH:
        return [whole]
    inner = " " * 8 + ", ".join(given)
    lines = [inner] if len(inner) <= WIDTH else [f"        {each}," for each in given]
    return ["    def forward(", *lines, f"    ) -> {result}:"]
