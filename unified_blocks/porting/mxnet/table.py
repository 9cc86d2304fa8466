"""Which operators of MXNet are read, and what they become: told by the code that reads them."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from unified_blocks.porting.families import load_families
from unified_blocks.porting.graph import constant
from unified_blocks.porting.mxnet.handlers import load_handlers
from unified_blocks.porting.mxnet.handlers.creation import made
from unified_blocks.porting.mxnet.reading import HANDLERS
from unified_blocks.porting.operations.elementwise import BINARY, COMPARISONS, UNARY
from unified_blocks.porting.operations.operation import Operation
from unified_blocks.porting.operations.reductions import REDUCTIONS
from unified_blocks.porting.writing.portable.elementwise import knows
from unified_blocks.porting.writing.portable.vocabulary import PORTABLE


@dataclass(frozen=True)
class Row:
    """Operators that mean the same.

    Attributes:
        family: of the handler: the name of its file.
        operators: their names in the JSON of a symbol.
        operations: names of what they may become, as operations are called or functions of numbers;
            none where they do nothing.
        missing: those of them that a portable block cannot be written with.
    """

    family: str
    operators: tuple[str, ...]
    operations: tuple[str, ...]
    missing: tuple[str, ...]


def rows() -> list[Row]:
    """A row for each handler, in the order of the families, and of the names in each."""
    load_handlers()
    load_families(PORTABLE_WORDS)
    together: dict[Callable[..., Any], list[str]] = {}
    for operator, handler in HANDLERS.items():
        together.setdefault(handler, []).append(operator)
    found = []
    for handler, operators in together.items():
        become = sorted({*_operations(handler, set())}, key=str)
        names = tuple(sorted(map(name_of, become)))
        missing = tuple(sorted(name_of(each) for each in become if not is_portable(each)))
        family = handler.__module__.rpartition(".")[2]
        found.append(Row(family, tuple(sorted(operators)), names, missing))
    return sorted(found, key=lambda row: (row.family, row.operators))


def markdown() -> str:
    """The rows as a table of Markdown."""
    lines = ["| operators of MXNet | become | not in portable blocks |", "|---|---|---|"]
    for row in rows():
        names = ", ".join(f"`{name}`" for name in row.operators)
        become = ", ".join(row.operations) or "nothing: what they take"
        lines.append(f"| {names} | {become} | {', '.join(row.missing)} |")
    return "\n".join(lines) + "\n"


def name_of(operation: type[Operation] | str) -> str:
    """What an operation, or a function of numbers, is called."""
    return operation if isinstance(operation, str) else operation.__name__


def is_portable(operation: type[Operation] | str) -> bool:
    """Whether a portable block can be written with it."""
    if isinstance(operation, str):
        return operation == CONSTANT or operation in REDUCTIONS or knows(operation)
    return operation in PORTABLE.operations


def _operations(function: Callable[..., Any], seen: set[object]) -> Iterator[type[Operation] | str]:
    """The operations that a handler names, or a function that it calls, and so on."""
    if not isinstance(function, FunctionType) or function in seen:
        return
    seen.add(function)
    inside = [cell.cell_contents for cell in function.__closure__ or ()]
    words = [each for each in inside if isinstance(each, str)]
    for word in words:  # a handler that is made for a function of numbers, or another operator
        if word in FUNCTIONS:
            yield word
        else:
            yield from _operations(HANDLERS[word], seen)
    if words:
        return
    for name in _globals(function.__code__):
        each = vars(sys.modules[function.__module__]).get(name)
        if isinstance(each, type) and issubclass(each, Operation):
            yield each
        elif each is constant or each is made:
            yield CONSTANT
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
PORTABLE_WORDS = "unified_blocks.porting.writing.portable"
CONSTANT = "a constant"
FUNCTIONS = frozenset({*UNARY, *BINARY, *COMPARISONS, *REDUCTIONS})
