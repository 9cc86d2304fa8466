"""Which operators of MXNet are read, and what they become: told by the code that reads them."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from unified_blocks.porting.graph import constant
from unified_blocks.porting.mxnet.handlers import load_handlers
from unified_blocks.porting.mxnet.handlers.creation import made
from unified_blocks.porting.mxnet.reading import HANDLERS
from unified_blocks.porting.operations.operation import Operation


@dataclass(frozen=True)
class Row:
    """Operators that mean the same.

    Attributes:
        family: of the handler: the name of its file.
        operators: their names in the JSON of a symbol.
        operations: names of what they may become, as operations are called or functions of numbers;
            none where they do nothing.
    """

    family: str
    operators: tuple[str, ...]
    operations: tuple[str, ...]


def rows() -> list[Row]:
    """A row for each handler, in the order of the families, and of the names in each."""
    load_handlers()
    together: dict[Callable[..., Any], list[str]] = {}
    for operator, handler in HANDLERS.items():
        together.setdefault(handler, []).append(operator)
    found = []
    for handler, operators in together.items():
        become = tuple(sorted(set(_operations(handler, set()))))
        family = handler.__module__.rpartition(".")[2]
        found.append(Row(family, tuple(sorted(operators)), become))
    return sorted(found, key=lambda row: (row.family, row.operators))


def markdown() -> str:
    """The rows as a table of Markdown."""
    lines = ["| operators of MXNet | become |", "|---|---|"]
    for row in rows():
        names = ", ".join(f"`{name}`" for name in row.operators)
        lines.append(f"| {names} | {', '.join(row.operations) or 'nothing: what they take'} |")
    return "\n".join(lines) + "\n"


def _operations(function: Callable[..., Any], seen: set[object]) -> Iterator[str]:
    """Names of the operations that a handler names, or a function that it calls, and so on."""
    if not isinstance(function, FunctionType) or function in seen:
        return
    seen.add(function)
    inside = [cell.cell_contents for cell in function.__closure__ or ()]
    words = [each for each in inside if isinstance(each, str)]
    if words:  # a handler that is made for a function of numbers
        yield from words
        return
    for name in _globals(function.__code__):
        each = vars(sys.modules[function.__module__]).get(name)
        if isinstance(each, type) and issubclass(each, Operation):
            yield each.__name__
        elif each is constant or each is made:
            yield "a constant"
        elif isinstance(each, FunctionType) and each.__module__.startswith(HOME):
            yield from _operations(each, seen)


def _globals(code: CodeType) -> Iterator[str]:
    """The names that code takes of its module, in all that is defined in it."""
    for step in dis.get_instructions(code):
        if step.opname == "LOAD_GLOBAL":
            yield str(step.argval)
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _globals(each)


HOME = "unified_blocks.porting.mxnet"
