"""Which blocks of a network become functions, and what each function is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from keyword import iskeyword
from typing import Any

from unified_blocks.porting.writing.keras.arguments import ABSENT, Argument, arguments
from unified_blocks.porting.writing.keras.blocks import (
    CONTAINERS,
    Block,
    Held,
    has_names,
    snake,
    title,
)
from unified_blocks.porting.writing.keras.expressions import (
    Infix,
    Leaf,
    Step,
    form,
    leaves,
)
from unified_blocks.porting.writing.keras.variants import DifferentError, Line, Run, Union, ranged
from unified_blocks.porting.writing.naming import distinct

FREE = ("x", "y", "z", "u", "v", "w", "p", "q", "r", "s", "t")
"""What tensors are called, in this order."""
RESERVED = {"build", "load", "layers", "ops", "keras", "inputs", "model", "name", *FREE}


def free(name: str, taken: Set[str]) -> str:
    """A name that is not taken, and that means nothing else in the source."""
    while name in taken or name in RESERVED or iskeyword(name):
        name += "_"
    return name


@dataclass(eq=False)
class Function:
    """A function of the source.

    Attributes:
        kind: what its blocks are called.
        calls: the blocks that are calls of it.
        lines: its statements.
        runs: those that only some calls run, each with the condition.
        reads, outputs: what it takes and gives.
        told: its arguments.
        texts: by place among its literals, the expression of each that differs.
        name: what it is called.
        own: whether it has a name for its layers.
    """

    kind: str
    calls: list[Block]
    lines: list[Line]
    reads: tuple[Held, ...]
    outputs: tuple[Held, ...]
    runs: list[tuple[Run, str]] = field(default_factory=list)
    told: list[Argument] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    name: str = ""
    own: bool = True

    @property
    def literals(self) -> list[Leaf]:
        """Those of its statements, in order."""
        return [leaf for line in self.lines for leaf in line.literals]

    @property
    def names(self) -> set[str]:
        """What its variables cannot be called."""
        called = {line.function.name for line in self.lines if line.function}
        return called | {each.name for each in self.told}

    def answers(self, block: Block) -> list[Leaf]:
        """What a call tells it."""
        place = self.calls.index(block)
        return [Leaf(each.values[place], each.name, each.default) for each in self.told]


class Functions:
    """The functions of a network.

    Attributes:
        top: the function that makes the network.
        all: the others, each after those that it calls.
    """

    def __init__(self, top: Block) -> None:
        self._forms: dict[Block, Any] = {}
        self._calls: dict[Any, list[Block]] = {}
        self._of: dict[Any, Function] = {}
        self._plan(top)
        self._calls = {each: [] for each in self._calls}
        self._places: dict[Any, set[Any]] = {}
        self._collect(top, top)
        kinds: dict[Any, list[Any]] = {}
        for key, calls in self._calls.items():
            if calls:
                kinds.setdefault(self._outline(calls[0]), []).append(key)
        self.all: list[Function] = []
        for keys in sorted(kinds.values(), key=lambda keys: max(map(self._height, keys))):
            self._define(keys)
        self._name()
        (lines,) = _looped([self._lines(top)], [top])
        self.top = Function("", [top], lines, top.reads, top.outputs, own=False)
        _place(self.top.lines)

    def form(self, block: Block) -> Any:
        """Equal for two blocks that one function can stand for."""
        if block not in self._forms:
            places: dict[Held, int] = {}
            inside = len(block.path)
            found: list[Any] = [block.kind if block.kind not in CONTAINERS else ""]

            def place(held: Held) -> int:
                return places.setdefault(held, len(places))

            for item in block.items:
                if isinstance(item, Step):
                    found.append(form(item.expression, place, inside))
                else:
                    taken = tuple(map(place, item.reads))
                    found.append((item.path[inside:], self.form(item), taken))
                found.append(tuple(map(place, item.outputs)))
            self._forms[block] = (*found, tuple(map(place, block.outputs)))
        return self._forms[block]

    def _outline(self, block: Block) -> Any:
        """Equal for two blocks that may be calls of one function, though they differ a little.

        Those of one class; others that do the same steps, and call the same, however often.
        """
        if block.kind not in CONTAINERS:
            return block.kind
        found: list[Any] = []
        for item in block.items:
            if isinstance(item, Step):
                found.append(form(item.expression, lambda held: 0, len(block.path)))
            elif found[-1:] != [own := self._outline(item)]:
                found.append(own)
        return tuple(found)

    def _plan(self, block: Block) -> None:
        """Find the functions that the body of a block calls, and those that they call."""
        found = Counter(map(self._outline, _within(block)))

        def visit(items: list[Step | Block]) -> None:
            for item in items:
                if not isinstance(item, Block):
                    continue
                key = self.form(item)
                if key in self._calls:
                    continue
                own = item.kind not in CONTAINERS and sum(1 for _ in item.steps()) > 1
                if own or (len(item.items) > 1 and found[self._outline(item)] > 1):
                    self._calls[key] = []
                    self._plan(item)
                else:
                    visit(item.items)

        visit(block.items)

    def _collect(self, block: Block, around: Block) -> None:
        """Find the calls of each function, and the places in the source where they stand."""
        for item in block.items:
            if isinstance(item, Block):
                is_call = (key := self.form(item)) in self._calls
                self._collect(item, item if is_call else around)
                if is_call:
                    self._calls[key].append(item)
                    place = self.form(around), item.path[len(around.path) :]
                    self._places.setdefault(key, set()).add(place)

    def _height(self, key: Any) -> int:
        """How many functions are inside of one another in a block."""

        def height(block: Block) -> int:
            inner = (height(item) for item in block.items if isinstance(item, Block))
            return max(inner, default=0) + (self.form(block) in self._calls)

        return height(self._calls[key][0])

    def _define(self, keys: list[Any]) -> None:
        """Make one function for blocks of one class, or one for each form where they differ."""
        lines: dict[Block, list[Line]] = {}
        for key in keys:
            calls = self._calls[key]
            looped = _looped([self._lines(call) for call in calls], calls)
            lines |= zip(calls, looped, strict=True)
        if len(keys) > 1:
            try:
                return self._add(keys, self._joined(keys, lines), lines)
            except DifferentError:
                pass
        for key in keys:
            block = self._calls[key][0]
            if block.kind in CONTAINERS and len(self._places[key]) == 1:
                del self._calls[key]  # it is written where it stands
                continue
            self._add([key], Union(lines[block], block.reads, block.outputs), lines)
        return None

    def _joined(self, keys: list[Any], written: dict[Block, list[Line]]) -> Union:
        """The statements of several forms in one."""
        firsts = sorted(
            (self._calls[key][0] for key in keys), key=lambda b: -sum(1 for _ in b.steps())
        )
        keys.sort(key=lambda key: firsts.index(self._calls[key][0]))
        union = None
        for block in firsts:
            lines = written[block]
            if any(self._is_within(block, key) for key in keys):
                raise DifferentError
            if union is None:
                union = Union(lines, block.reads, block.outputs)
            else:
                union.add(lines, block.reads, block.outputs)
        assert union is not None
        runs = union.runs()
        if runs and firsts[0].kind in CONTAINERS:
            raise DifferentError  # nobody said that they are the same
        left_out = sum(run.stop - run.start for run in runs)
        if 2 * left_out > len(union.lines) or len({run.present for run in runs}) > 2:
            raise DifferentError
        return union

    def _is_within(self, block: Block, key: Any) -> bool:
        return any(
            self.form(item) == key or self._is_within(item, key)
            for item in block.items
            if isinstance(item, Block)
        )

    def _add(self, keys: list[Any], union: Union, lines: dict[Block, list[Line]]) -> None:
        """Make a function of the calls of some forms."""
        calls = [(block, i) for i, key in enumerate(keys) for block in self._calls[key]]
        columns: list[list[Any]] = [[ABSENT] * len(calls) for x in union.lines for _ in x.literals]
        _place(union.lines)
        for number, (block, variant) in enumerate(calls):
            for line, place in zip(lines[block], union.places[variant], strict=True):
                for i, leaf in enumerate(line.literals):
                    columns[union.lines[place].place + i][number] = leaf.value
        kinds = [leaf for line in union.lines for leaf in line.literals]
        told, texts = arguments([(k, tuple(c)) for k, c in zip(kinds, columns, strict=True)])
        first = calls[0][0]
        if first.kind in CONTAINERS and len(told) > max(3, len(union.lines) + 1):
            for key in keys:  # it would be told more than it does
                del self._calls[key]
            return
        function = Function(
            title(first), [block for block, _ in calls], union.lines, union.reads, union.outputs,
            told=told, texts=texts, own=has_names(first),
        )  # fmt: skip
        for run in union.runs():
            present = tuple(variant in run.present for _, variant in calls)
            function.runs.append((run, _condition(function, run, present)))
        self._of |= dict.fromkeys(keys, function)
        self.all.append(function)

    def _lines(self, block: Block) -> list[Line]:
        """The statements of a block, and the calls of functions in it."""
        inside, found = len(block.path), []

        def visit(items: list[Step | Block]) -> None:
            for item in items:
                if isinstance(item, Step):
                    literals = list(leaves(item.expression))
                    found.append(Line(item, inside, item.reads, item.outputs, None, literals))
                elif (key := self.form(item)) in self._of:
                    function = self._of[key]
                    answers = function.answers(item)
                    found.append(Line(item, inside, item.reads, item.outputs, function, answers))
                else:
                    visit(item.items)

        visit(block.items)
        return found

    def _name(self) -> None:
        names = {each.name for function in self.all for each in function.told}
        kinds: dict[str, list[Function]] = {}
        for function in self.all:
            kinds.setdefault(function.kind, []).append(function)
        for kind, functions in kinds.items():
            for function, name in zip(functions, _distinct(kind, functions), strict=True):
                function.name = free(name, names)
                names.add(function.name)


def _within(block: Block) -> Iterator[Block]:
    """The blocks in a block, but for those in one that has a name of its own."""
    for item in block.items:
        if isinstance(item, Block):
            yield item
            if item.kind in CONTAINERS:
                yield from _within(item)


def _looped(calls: list[list[Line]], blocks: Sequence[Block]) -> list[list[Line]]:
    """The same lines of each call of a function, with the loops that all of them can have.

    A loop is of calls that differ in one number of their names.
    """
    readers = [
        Counter([*block.outputs, *(held for line in lines for held in line.reads)])
        for block, lines in zip(blocks, calls, strict=True)
    ]
    runs: list[list[int]] = []
    for i in range(len(calls[0])):
        if runs and all(
            _follows([lines[k] for k in runs[-1]], lines[i], counts)
            for lines, counts in zip(calls, readers, strict=True)
        ):
            runs[-1].append(i)
        else:
            runs.append([i])
    return [[_loop([lines[k] for k in run]) for run in runs] for lines in calls]


def _loop(run: list[Line]) -> Line:
    """A loop for some lines; one line is itself."""
    bounds = ranged([line.item.path for line in run]) if len(run) > 1 else None
    if bounds is None:
        return run[0]
    _, first, last, step = bounds
    names = zip(("start", "blocks", "step"), (first, last + 1, step), strict=True)
    literals = [*run[0].literals, *(Leaf(value, name) for name, value in names)]
    return replace(run[0], repeated=run, literals=literals, outputs=run[-1].outputs)


def _follows(run: list[Line], line: Line, readers: Counter[Held]) -> bool:
    """Whether a call can be the next one of a loop."""
    before, first = run[-1], run[0]
    if not line.function or line.function is not before.function:
        return False
    if len(before.outputs) != 1 or readers[before.outputs[0]] != 1:
        return False
    if line.reads[:1] != before.outputs or line.reads[1:] != first.reads[1:]:
        return False
    if [leaf.value for leaf in line.literals] != [leaf.value for leaf in first.literals]:
        return False
    return ranged([each.item.path for each in (*run, line)]) is not None


def _place(lines: Sequence[Line]) -> None:
    """Say at which literal each line begins."""
    place = 0
    for line in lines:
        line.place = place
        place += len(line.literals)


def _condition(function: Function, run: Run, present: tuple[bool, ...]) -> str:
    """When a run is done: by an argument that there is, or by one of its own."""
    for each in function.told:
        if not all(type(value) in (int, bool) for value in each.values):
            continue
        if present == tuple(value > (type(value) is int) for value in each.values):
            return f"{each.name} > 1" if type(each.values[0]) is int else each.name
        if type(each.values[0]) is bool and present == tuple(not value for value in each.values):
            return f"not {each.name}"
    line = function.lines[run.start]
    path = line.item.path[line.inside :]
    name = snake(path[0]) if path and path[0].isidentifier() and has_name(line) else ""
    if not name:
        added = isinstance(line.item, Step) and isinstance(line.item.expression, Infix)
        name = "residual" if added else "padded"
    if line.function is not None and line.function.kind == name:
        name = f"with_{name}"
    name = free(name, {each.name for each in function.told})
    function.told.append(Argument(name, present, False))
    return name


def has_name(line: Line) -> bool:
    """Whether what a line does has a name of its own."""
    return isinstance(line.item, Block) or not isinstance(line.item.expression, Infix)


def _distinct(kind: str, functions: list[Function]) -> list[str]:
    """Names for functions of one kind: after the part that only one has, or with a number."""
    paths = [
        {s.path[len(f.calls[0].path)] for s in f.calls[0].steps() if s.path} for f in functions
    ]
    common = set.intersection(*paths)
    names = [kind]
    for own in paths[1:]:
        more = sorted(p for p in own - common if re.fullmatch(r"[a-z_]+", p))
        name = f"{kind}_{snake(more[0])}" if more else kind
        names.append(distinct(kind, names) if name in names else name)
    return names
