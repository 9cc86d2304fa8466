"""The text of statements."""

from __future__ import annotations

import ast
from typing import Any

from unified_blocks.porting.writing.keras.blocks import Held, has_names
from unified_blocks.porting.writing.keras.expressions import (
    Call,
    Index,
    Infix,
    Named,
    Raw,
    Row,
    Shared,
    Step,
    Tensor,
    default,
    is_literal,
    number,
)
from unified_blocks.porting.writing.keras.functions import Function
from unified_blocks.porting.writing.keras.text import Bracketed, Text, flat
from unified_blocks.porting.writing.keras.variants import Line, numbered, ranged

ATOMS = (ast.Name, ast.Call, ast.Subscript, ast.Attribute)
"""Expressions of Python of which a part can be taken as they are."""


class Rendering:
    """The text of the statements of a function.

    Attributes:
        function: which one.
        variables: what each tensor is called, as long as it is needed.
        inlined: of tensors that have no name, the statements that give them.
    """

    def __init__(self, function: Function) -> None:
        self.function = function
        self.literals = function.literals
        self.variables: dict[Held, str] = {}
        self.inlined: dict[Held, Line] = {}

    def statement(self, line: Line) -> Text:
        """A statement, but for the names of what it gives."""
        if isinstance(line.item, Step):
            text, _ = self._expression(line.item.expression, line.place, line.inside)
            return text
        given: list[Text] = [self._held(held) for held in line.reads]
        given += self.answers(line)
        if has_names(line.item):
            paths = [each.item.path for each in line.repeated]
            given.append(f"name={self._name(line.item.path, line.inside, paths)}")
        return Bracketed(line.function.name, tuple(given))

    def answers(self, line: Line) -> list[str]:
        """What a call tells a function."""
        told: list[str] = []
        for i, each in enumerate(line.function.told):
            text = self._literal(line.place + i)
            if each.default is ...:
                told.append(text)
            elif text != number(each.default):
                told.append(f"{each.name}={text}")
        return told

    def loop(self, line: Line) -> str:
        """The head of a loop."""
        place = line.place + len(line.function.told)
        start, stop, step = (self._literal(place + i) for i in range(3))
        if step != "1":
            return f"for i in range({start}, {stop}, {step}):"
        return f"for i in range({stop}):" if start == "0" else f"for i in range({start}, {stop}):"

    def _literal(self, place: int) -> str:
        return self.function.texts.get(place) or number(self.literals[place].value)

    def _name(
        self, path: tuple[str, ...], inside: int, paths: list[tuple[str, ...]] | None = None
    ) -> str:
        """The name of a layer or a block, from the block that it is written in."""
        own = list(path[inside:])
        if paths and (bounds := ranged(paths)):
            own[bounds[0] - inside] = numbered(own[bounds[0] - inside])[0] + "{i}"
        whole = ".".join((["{name}"] if self.function.own else []) + own).replace("/", "_")
        return ("f" if self.function.own or paths else "") + number(whole)

    def _held(self, held: Held) -> Text:
        if held not in self.inlined:
            return self.variables[held]
        line = self.inlined[held]
        assert isinstance(line.item, Step)
        return self._expression(line.item.expression, line.place, line.inside)[0]

    def _expression(self, expression: Any, place: int, inside: int) -> tuple[Text, int]:
        """The text of an expression whose first literal has a place, and the place after it."""
        if isinstance(expression, Tensor | Shared):
            return self._held(expression), place
        if isinstance(expression, Named):
            return self._name(expression.path, inside), place
        if isinstance(expression, Raw):
            return expression.text, place
        if is_literal(expression):
            return self._written(expression, place), place + 1
        if isinstance(expression, Infix):
            texts = []
            for each in expression.operands:
                text, place = self._expression(each, place, inside)
                inner = isinstance(each, Infix) or (
                    each in self.inlined if isinstance(each, Tensor) else False
                )
                texts.append(f"({flat(text)})" if inner else flat(text))
            if len(texts) == 1:
                return expression.sign + texts[0], place
            return f" {expression.sign} ".join(texts), place
        if isinstance(expression, Index):
            text, place = self._expression(expression.value, place, inside)
            source = flat(text)
            atom = isinstance(ast.parse(source, mode="eval").body, ATOMS)
            return f"{source if atom else f'({source})'}[{expression.inside}]", place
        if isinstance(expression, Row):
            items = []
            for each in expression.items:
                text, place = self._expression(each, place, inside)
                items.append(text)
            return Bracketed("", tuple(items), expression.brackets), place
        assert isinstance(expression, Call)
        return self._call(expression, place, inside)

    def _call(self, expression: Call, place: int, inside: int) -> tuple[Text, int]:
        before: Text = expression.function if isinstance(expression.function, str) else ""
        if not isinstance(expression.function, str):
            before, place = self._expression(expression.function, place, inside)
        given: list[Text] = []
        for each in expression.arguments:
            text, place = self._expression(each, place, inside)
            given.append(text)
        for keyword, each in expression.keywords:
            start = place
            text, place = self._expression(each, place, inside)
            usual = default(expression.function, keyword)
            if is_literal(each) and start not in self.function.texts and each == usual:
                continue
            given.append(
                f"{keyword}={text}" if isinstance(text, str) else (f"{keyword}=", text)  # type: ignore[arg-type]
            )
        return Bracketed(before, tuple(given)), place

    def _written(self, value: Any, place: int) -> Text:
        if place in self.function.texts or not isinstance(value, tuple):
            return self._literal(place)
        return _row(value)


def _row(value: Any) -> Text:
    if isinstance(value, tuple):
        return Bracketed("", tuple(_row(each) for each in value))
    return number(value)
