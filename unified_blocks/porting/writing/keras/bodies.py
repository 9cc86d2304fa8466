"""The bodies of functions: names of variables, loops, and what only some calls do."""

from __future__ import annotations

from unified_blocks.porting.writing.keras.blocks import Held, snake
from unified_blocks.porting.writing.keras.expressions import (
    Infix,
    Shared,
    Step,
    Tensor,
    number,
    tensors,
)
from unified_blocks.porting.writing.keras.functions import FREE, Function, free
from unified_blocks.porting.writing.keras.rendering import Rendering
from unified_blocks.porting.writing.keras.text import WIDTH, Bracketed, Text, laid
from unified_blocks.porting.writing.keras.variants import Line, Run
from unified_blocks.types import Shape

TENSORS = (*FREE, *(f"x{i}" for i in range(1000)))
"""What tensors are called, in this order."""


def definition(function: Function) -> list[str]:
    """The lines of a function."""
    body = Body(function, list(zip(function.reads, _names(function), strict=True)))
    taken: list[Text] = [
        f"{name}: {'layers.Layer' if isinstance(held, Shared) else 'KerasTensor'}"
        for held, name in body.variables.items()
    ]
    for each in function.told:
        end = "" if each.default is ... else f" = {number(each.default)}"
        taken.append(f"{each.name}: {each.hint}{end}")
    taken += ["*", "name: str"] if function.own else []
    count = len(function.outputs)
    gives = "KerasTensor" if count == 1 else f"tuple[{', '.join(['KerasTensor'] * count)}]"
    head = laid(Bracketed(function.name, tuple(taken)), 0, "def ", f" -> {gives}:")
    return [*head, *body.lines()]


def _names(function: Function) -> list[str]:
    """A name for each input of a function."""
    names: list[str] = []
    for each in function.reads:
        taken = {*names, *function.names}
        if isinstance(each, Shared):
            names.append(free(snake(each.path[-1]), taken))
        else:
            names.append(next(name for name in TENSORS if name not in taken))
    return names


class Body(Rendering):
    """The statements of one function.

    Args:
        function: which one.
        given: what it takes, with the names.
        outputs: what is needed after it; default: what it returns.
        shapes: whether the shapes are noted, and nothing is returned yet.
    """

    def __init__(
        self, function: Function, given: list[tuple[Held, str]], shapes: bool = False
    ) -> None:
        super().__init__(function)
        self.shapes = shapes
        self.variables.update(given)
        self.entries = function.lines
        self.last: dict[Held, int] = {}
        self.inputs = {held for held, _ in given} if shapes else set()  # named at its end, too

    # Variables

    def lines(self) -> list[str]:
        """The body, with what it returns at its end, where it is not the network itself."""
        entries, written, outputs = self.entries, [], self.function.outputs
        runs = {run.start: (run, condition) for run, condition in self.function.runs}
        inside = {i for run, _ in self.function.runs for i in range(run.start, run.stop)}
        for i, line in enumerate(entries):
            for held in line.reads:
                self.last[held] = i
        for run, _ in self.function.runs:
            self.last[run.instead] = max(self.last.get(run.instead, 0), run.stop - 1)
        self.last |= {held: len(entries) for held in (*outputs, *self.inputs)}
        for i, line in enumerate(entries):
            if i in runs:
                written += self._run(*runs[i])
            if i in inside:
                continue
            after = entries[i + 1] if i + 1 not in inside and i + 1 < len(entries) else None
            if self._is_inlined(line, after, i):
                self.inlined[line.outputs[0]] = line
                for held in line.reads:
                    self.last[held] = max(self.last[held], i + 1)
                continue
            final = i + 1 == len(entries) and outputs == line.outputs
            if final and not self.shapes and not line.repeated:
                return written + laid(self.statement(line), 4, "return ")
            dying = self._dying(line, i)
            if line.repeated and line.reads[0] not in dying:
                name = self._free(dying)
                written.append(f"    {name} = {self.variables[line.reads[0]]}")
                self.variables[line.reads[0]] = name
            written += self._statement(line, dying)
        if not self.shapes:
            written.append("    return " + ", ".join(self.variables[held] for held in outputs))
        return written

    def _run(self, run: Run, condition: str) -> list[str]:
        """Statements that only some calls run: what they give has the name of what others have."""
        lines = self.entries[run.start : run.stop]
        gone = [held for held in self.variables if self.last.get(held, -1) < run.stop]
        name, written = self.variables[run.instead], []
        if run.instead not in gone or not isinstance(run.instead, Tensor):
            name = self._free([])
            written.append(f"    {name} = {self.variables[run.instead]}")
        written.append(f"    if {condition}:")
        for line in lines:
            written += laid(self.statement(line), 8, f"{name} = ")
            self.variables[line.outputs[0]] = name
        for held in (*gone, *(line.outputs[0] for line in lines[:-1])):
            del self.variables[held]
        return written

    def _dying(self, line: Line, i: int) -> list[Held]:
        """What is not needed any more after a statement."""
        return list(dict.fromkeys(h for h in self._deep(line) if self.last.get(h, -1) <= i))

    def _deep(self, line: Line) -> list[Held]:
        """What a statement reads, and what is written in it reads."""
        found: list[Held] = []
        for held in line.reads:
            found += self._deep(self.inlined[held]) if held in self.inlined else [held]
        return found

    def _is_inlined(self, line: Line, after: Line | None, i: int) -> bool:
        """Whether an expression stands in the next statement, which alone needs it."""
        if not isinstance(line.item, Step) or not isinstance(line.item.expression, Infix):
            return False
        if after is None or not isinstance(after.item, Step) or after.repeated:
            return False
        (output,) = line.outputs
        return output in after.reads and self.last[output] == i + 1 and _once(after.item, output)

    def _free(self, dying: list[Held]) -> str:
        """A name that no tensor has that is still needed."""
        taken = {name for held, name in self.variables.items() if held not in dying}
        return next(name for name in TENSORS if name not in taken | self.function.names)

    def _statement(self, line: Line, dying: list[Held]) -> list[str]:
        text, reads = self.statement(line), line.reads
        old = [self.variables[held] for held in dying if isinstance(held, Tensor)]
        loop = self.variables[reads[0]] if line.repeated else ""
        for held in dying:
            del self.variables[held]
        names = []
        for held in line.outputs:
            if isinstance(held, Shared):
                taken = {*self.variables.values(), *self.function.names}
                name = free(snake(held.path[-1]), taken)
            elif loop:
                name = loop
            else:
                left = [each for each in old if each not in self.variables.values()]
                others = self.variables.keys() - self.inputs
                alone = not any(isinstance(held, Tensor) for held in others)
                name = left[0] if left and left[0] in FREE and not alone else self._free([])
            self.variables[held] = name
            names.append(name)
        if loop:
            return [*self._noted([f"    {self.loop(line)}"], line), *laid(text, 8, f"{loop} = ")]
        return self._noted(laid(text, 4, ", ".join(names) + " = "), line)

    def _noted(self, lines: list[str], line: Line) -> list[str]:
        """With the shape of what a statement gives, where it differs from what it takes."""
        outputs = line.outputs
        if not self.shapes or len(outputs) != 1 or not line.reads:
            return lines
        (given,), taken = outputs, line.reads[0]
        if isinstance(given, Shared) or (isinstance(taken, Tensor) and taken.shape == given.shape):
            return lines
        if len(line.reads) > 1 and given.shape in [
            r.shape for r in line.reads if isinstance(r, Tensor)
        ]:
            return lines
        note = f"  # {shown(given.shape, given.growth)}"
        return [*lines[:-1], lines[-1] + note] if len(lines[-1] + note) <= WIDTH else lines


def _once(step: Step, tensor: Held) -> bool:
    return sum(each is tensor for each in tensors(step.expression)) == 1


def shown(shape: Shape, growth: Shape) -> str:
    """A shape for a reader: `(n, 112, 112, 64)`."""
    sizes = []
    for i, size in enumerate(shape):
        by = growth[i] if growth else 0
        sizes.append(str(size) if not by else "n" if by == 1 else f"{by} * n")
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
