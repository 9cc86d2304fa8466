"""The bodies of functions: statements, names of variables, loops."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from unified_blocks.porting.writing.keras.blocks import (
    Argument,
    Block,
    Division,
    Held,
    has_names,
    snake,
    title,
)  # fmt: skip
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
    leaves,
    number,
    tensors,
)  # fmt: skip
from unified_blocks.porting.writing.keras.text import WIDTH, Bracketed, Text, flat, laid
from unified_blocks.types import Shape

ATOMS = (ast.Name, ast.Call, ast.Subscript, ast.Attribute)
"""Expressions of Python of which a part can be taken as they are."""
FREE = ("x", "y", "z", "u", "v", "w", "p", "q", "r", "s", "t")
"""What tensors are called, in this order."""


@dataclass(eq=False)
class Function:
    """A function of the source.

    Attributes:
        block: the first of its calls.
        name: what it is called.
        told: its arguments.
        texts: by place among the literals of `block`, the expression of each that differs.
    """

    block: Block
    name: str
    told: list[Argument]
    texts: dict[int, str]


@dataclass(eq=False)
class Line:
    """A statement, or a call of a function, in a body.

    Attributes:
        item: what.
        place: of its first literal among those of the body.
        repeated: the calls that a loop does, this one the first.
    """

    item: Step | Block
    place: int
    repeated: list[Line] = field(default_factory=list)

    @property
    def reads(self) -> tuple[Held, ...]:
        return self.item.reads

    @property
    def outputs(self) -> tuple[Held, ...]:
        return self.repeated[-1].item.outputs if self.repeated else self.item.outputs


class Source:
    """The functions of a network, as text."""

    def __init__(self, top: Block) -> None:
        self.top = top
        self.division = Division(top)
        self.functions: dict[Any, Function] = {}
        names: set[str] = {"build", "load", "layers", "ops", "keras", "inputs", "model", *FREE}
        kinds: dict[str, list[Block]] = {}
        for form, calls in self.division.calls.items():
            kinds.setdefault(title(calls[0]), []).append(calls[0])
            self.functions[form] = Function(calls[0], "", *self.division.told[form])
        for kind, blocks in kinds.items():
            for block, name in zip(blocks, _distinct(kind, blocks), strict=True):
                while name in names:
                    name += "_"
                names.add(name)
                self.functions[self.division.form(block)].name = name

    def definitions(self) -> Iterator[list[str]]:
        """The lines of each function, each after those that it calls."""
        done: set[Any] = set()

        def visit(block: Block) -> Iterator[list[str]]:
            for item in block.items:
                if isinstance(item, Block):
                    yield from visit(item)
                    form = self.division.form(item)
                    if form in self.functions and form not in done:
                        done.add(form)
                        yield self.definition(self.functions[form])

        for function in self.functions.values():
            form = self.division.form(function.block)
            yield from visit(function.block)
            if form not in done:
                done.add(form)
                yield self.definition(function)

    def definition(self, function: Function) -> list[str]:
        """The lines of a function."""
        body = Body(self, function.block, function.texts, own=has_names(function.block))
        body.allocate(
            list(zip(function.block.reads, _names(function.block.reads, FREE), strict=True))
        )
        taken: list[Text] = [
            f"{name}: {'layers.Layer' if isinstance(held, Shared) else 'KerasTensor'}"
            for held, name in body.variables.items()
        ]
        for each in function.told:
            end = "" if each.default is ... else f" = {number(each.default)}"
            taken.append(f"{each.name}: {each.hint}{end}")
        if has_names(function.block):
            taken += ["*", "name: str"]
        gives = "KerasTensor" if len(function.block.outputs) == 1 else (
            f"tuple[{', '.join(['KerasTensor'] * len(function.block.outputs))}]"
        )  # fmt: skip
        head = laid(Bracketed(function.name, tuple(taken)), 0, "def ", f" -> {gives}:")
        return [*head, *body.lines(function.block.outputs)]


def _distinct(kind: str, blocks: list[Block]) -> list[str]:
    """Names for functions of one kind: after the part that only one has, or with a number."""
    parts = [{step.path[len(b.path)] for step in b.steps() if step.path} for b in blocks]
    common = set.intersection(*parts)
    names = [kind]
    for i, own in enumerate(parts[1:], 2):
        more = sorted(p for p in own - common if not p.isdigit() and p.isidentifier())
        name = f"{kind}_{snake(more[0])}" if more else f"{kind}_{i}"
        names.append(f"{kind}_{i}" if name in names else name)
    return names


def _names(held: Sequence[Held], free: Sequence[str]) -> list[str]:
    """A name for each input of a function."""
    names: list[str] = []
    plain = iter(free)
    for each in held:
        name = snake(each.path[-1]) if isinstance(each, Shared) else next(plain)
        names.append(name if name not in names else f"{name}_{len(names)}")
    return names


class Body:
    """The statements of one function.

    Attributes:
        variables: what each tensor is called, as long as it is needed.
    """

    def __init__(self, source: Source, block: Block, texts: dict[int, str], own: bool) -> None:
        self.source, self.block, self.texts, self.own = source, block, texts, own
        self.literals = source.division.literals(block)
        self.variables: dict[Held, str] = {}
        self.inlined: dict[Held, Line] = {}
        self.index = ""
        found: list[Line] = []
        self._flatten(block, 0, found)
        self.entries = self._looped(found)

    def _flatten(self, block: Block, place: int, found: list[Line]) -> int:
        division = self.source.division
        for item in block.items:
            if isinstance(item, Step):
                found.append(Line(item, place))
                place += sum(1 for _ in leaves(item.expression))
            elif division.is_function(item):
                found.append(Line(item, place))
                place += len(division.literals(item))
            else:
                place = self._flatten(item, place, found)
        return place

    # Loops

    def _looped(self, found: list[Line]) -> list[Line]:
        """The same, with a loop for calls that differ in one number of their names."""
        readers: dict[Held, int] = dict.fromkeys(self.block.outputs, 1)
        for line in found:
            for held in line.reads:
                readers[held] = readers.get(held, 0) + 1
        lines: list[Line] = []
        while found:
            run = [found.pop(0)]
            while found and self._follows(run, found[0], readers):
                run.append(found.pop(0))
            if len(run) > 1:
                run[0].repeated = run
            lines.append(run[0])
        return lines

    def _follows(self, run: list[Line], line: Line, readers: dict[Held, int]) -> bool:
        """Whether a call can be the next one of a loop."""
        before, first = run[-1], run[0]
        if not (isinstance(line.item, Block) and isinstance(before.item, Block)):
            return False
        division = self.source.division
        if division.form(line.item) != division.form(before.item) or len(before.outputs) != 1:
            return False
        if line.reads[:1] != before.item.outputs or line.reads[1:] != first.reads[1:]:
            return False
        if readers[before.item.outputs[0]] != 1 or first.item.path == line.item.path:
            return False
        if self._arguments(line) != self._arguments(first):
            return False
        return _ranged([each.item.path for each in (*run, line)]) is not None

    # Variables

    def allocate(self, given: list[tuple[Held, str]]) -> None:
        """Give names to what the function takes."""
        self.variables.update(given)

    def lines(self, outputs: Sequence[Held], shapes: bool = False) -> list[str]:
        """The body, with what it returns at its end, where it is not the network itself."""
        entries, written = self.entries, []
        last: dict[Held, int] = {}
        for i, line in enumerate(entries):
            for held in line.reads:
                last[held] = i
        last |= {held: len(entries) for held in outputs}
        for i, line in enumerate(entries):
            after = entries[i + 1] if i + 1 < len(entries) else None
            if self._is_inlined(line, after, last, i):
                self.inlined[line.outputs[0]] = line
                for held in line.reads:
                    last[held] = max(last[held], i + 1)
                continue
            final = not shapes and after is None and tuple(outputs) == line.outputs
            if final and not line.repeated:
                written += laid(self._text(line), 4, "return ")
                return written
            dying = [held for held in self._deep(line) if last.get(held, -1) <= i]
            if line.repeated and line.reads[0] not in dying:
                name = self._free(dying)
                written.append(f"    {name} = {self.variables[line.reads[0]]}")
                self.variables[line.reads[0]] = name
            written += self._statement(line, dying, shapes)
        if not shapes:
            written.append("    return " + ", ".join(self.variables[held] for held in outputs))
        return written

    def _deep(self, line: Line) -> list[Held]:
        """What a statement reads, and what is written in it reads."""
        found: list[Held] = []
        for held in line.reads:
            found += self._deep(self.inlined[held]) if held in self.inlined else [held]
        return found

    def _is_inlined(self, line: Line, after: Line | None, last: dict[Held, int], i: int) -> bool:
        """Whether an expression stands in the next statement, which alone needs it."""
        if not isinstance(line.item, Step) or not isinstance(line.item.expression, Infix):
            return False
        if after is None or not isinstance(after.item, Step) or after.repeated:
            return False
        (output,) = line.outputs
        return output in after.reads and last[output] == i + 1 and _once(after.item, output)

    def _free(self, dying: list[Held]) -> str:
        """A name that no tensor has that is still needed."""
        taken = {name for held, name in self.variables.items() if held not in dying}
        return next(name for name in (*FREE, *(f"x{i}" for i in range(1000))) if name not in taken)

    def _statement(self, line: Line, dying: list[Held], shapes: bool) -> list[str]:
        self.index = "i" if line.repeated else ""
        text, reads = self._text(line), line.reads
        old = [self.variables[held] for held in dying if isinstance(held, Tensor)]
        loop = self.variables[reads[0]] if line.repeated else ""
        for held in dying:
            del self.variables[held]
        names = []
        for held in line.outputs:
            if isinstance(held, Shared):
                name = snake(held.path[-1])
                while name in self.variables.values():
                    name += "_"
            elif loop:
                name = loop
            else:
                left = [each for each in old if each not in self.variables.values()]
                alone = not any(isinstance(held, Tensor) for held in self.variables)
                name = left[0] if left and left[0] in FREE and not alone else self._free([])
            self.variables[held] = name
            names.append(name)
        if loop:
            bounds = _ranged([each.item.path for each in line.repeated])
            head = f"    for i in {_range(*bounds[1:])}:" if bounds else ""
            return [*self._noted([head], line, shapes), *laid(text, 8, f"{loop} = ")]
        return self._noted(laid(text, 4, ", ".join(names) + " = "), line, shapes)

    def _noted(self, lines: list[str], line: Line, shapes: bool) -> list[str]:
        """With the shape of what a statement gives, where it differs from what it takes."""
        if not shapes or len(line.outputs) != 1 or not line.reads:
            return lines
        (given,), taken = line.outputs, line.reads[0]
        if isinstance(given, Shared) or (isinstance(taken, Tensor) and taken.shape == given.shape):
            return lines
        if len(line.reads) > 1 and given.shape in [
            r.shape for r in line.reads if isinstance(r, Tensor)
        ]:
            return lines
        note = f"  # {shown(given.shape, given.growth)}"
        return [*lines[:-1], lines[-1] + note] if len(lines[-1] + note) <= WIDTH else lines

    # Text

    def _text(self, line: Line) -> Text:
        """A statement, but for the names of what it gives."""
        if isinstance(line.item, Step):
            text, _ = self._expression(line.item.expression, line.place)
            return text
        block, function = line.item, self._function(line)
        given: list[Text] = [self._held(held) for held in block.reads]
        given += self._arguments(line)
        if has_names(block):
            paths = [each.item.path for each in line.repeated]
            given.append(f"name={self._name(block.path, paths if self.index else [])}")
        return Bracketed(function.name, tuple(given))

    def _function(self, line: Line) -> Function:
        assert isinstance(line.item, Block)
        return self.source.functions[self.source.division.form(line.item)]

    def _arguments(self, line: Line) -> list[str]:
        """What a call tells a function."""
        told: list[str] = []
        for each in self._function(line).told:
            text = self._literal(line.place + each.place)
            if each.default is ...:
                told.append(text)
            elif text != number(each.default):
                told.append(f"{each.name}={text}")
        return told

    def _literal(self, place: int) -> str:
        return self.texts.get(place) or number(self.literals[place].value)

    def _name(self, path: tuple[str, ...], paths: list[tuple[str, ...]] | None = None) -> str:
        inside = list(path[len(self.block.path) :])
        if paths and (bounds := _ranged(paths)):
            inside[bounds[0] - len(self.block.path)] = "{i}"
        whole = ".".join((["{name}"] if self.own else []) + inside).replace("/", "_")
        return ("f" if self.own or paths else "") + number(whole)

    def _held(self, held: Held) -> Text:
        if held not in self.inlined:
            return self.variables[held]
        line = self.inlined[held]
        assert isinstance(line.item, Step)
        return self._expression(line.item.expression, line.place)[0]

    def _expression(self, expression: Any, place: int) -> tuple[Text, int]:
        """The text of an expression whose first literal has a place, and the place after it."""
        if isinstance(expression, Tensor | Shared):
            return self._held(expression), place
        if isinstance(expression, Named):
            return self._name(expression.path), place
        if isinstance(expression, Raw):
            return expression.text, place
        if is_literal(expression):
            return self._written(expression, place), place + 1
        if isinstance(expression, Infix):
            texts = []
            for each in expression.operands:
                text, place = self._expression(each, place)
                inner = isinstance(each, Infix) or (
                    each in self.inlined if isinstance(each, Tensor) else False
                )
                texts.append(f"({flat(text)})" if inner else flat(text))
            if len(texts) == 1:
                return expression.sign + texts[0], place
            return f" {expression.sign} ".join(texts), place
        if isinstance(expression, Index):
            text, place = self._expression(expression.value, place)
            source = flat(text)
            atom = isinstance(ast.parse(source, mode="eval").body, ATOMS)
            return f"{source if atom else f'({source})'}[{expression.inside}]", place
        if isinstance(expression, Row):
            items = []
            for each in expression.items:
                text, place = self._expression(each, place)
                items.append(text)
            return Bracketed("", tuple(items), expression.brackets), place
        assert isinstance(expression, Call)
        return self._call(expression, place)

    def _call(self, expression: Call, place: int) -> tuple[Text, int]:
        before: Text = expression.function if isinstance(expression.function, str) else ""
        if not isinstance(expression.function, str):
            before, place = self._expression(expression.function, place)
        given: list[Text] = []
        for each in expression.arguments:
            text, place = self._expression(each, place)
            given.append(text)
        for keyword, each in expression.keywords:
            start = place
            text, place = self._expression(each, place)
            usual = default(expression.function, keyword)
            if is_literal(each) and start not in self.texts and each == usual:
                continue
            given.append(
                f"{keyword}={text}" if isinstance(text, str) else (f"{keyword}=", text)  # type: ignore[arg-type]
            )
        return Bracketed(before, tuple(given)), place

    def _written(self, value: Any, place: int) -> Text:
        if place in self.texts or not isinstance(value, tuple):
            return self._literal(place)
        return _row(value)


def _row(value: Any) -> Text:
    if isinstance(value, tuple):
        return Bracketed("", tuple(_row(each) for each in value))
    return number(value)


def _once(step: Step, tensor: Held) -> bool:
    return sum(each is tensor for each in tensors(step.expression)) == 1


def _ranged(paths: list[tuple[str, ...]]) -> tuple[int, int, int, int] | None:
    """The place where paths differ by a number that grows evenly; its first, last and step."""
    if len({len(path) for path in paths}) != 1:
        return None
    places = [i for i, parts in enumerate(zip(*paths, strict=True)) if len(set(parts)) > 1]
    if len(places) != 1 or not all(path[places[0]].isdigit() for path in paths):
        return None
    numbers = [int(path[places[0]]) for path in paths]
    steps = {b - a for a, b in pairwise(numbers)}
    if len(steps) != 1 or min(steps) < 1:
        return None
    return places[0], numbers[0], numbers[-1], min(steps)


def _range(first: int, last: int, step: int) -> str:
    if step > 1:
        return f"range({first}, {last + 1}, {step})"
    return f"range({first}, {last + 1})" if first else f"range({last + 1})"


def shown(shape: Shape, growth: Shape) -> str:
    """A shape for a reader: `(n, 112, 112, 64)`."""
    sizes = []
    for i, size in enumerate(shape):
        by = growth[i] if growth else 0
        sizes.append(str(size) if not by else "n" if by == 1 else f"{by} * n")
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
