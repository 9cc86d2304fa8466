"""Which blocks of a network become functions, and what each function must be told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeAlias

from unified_blocks.porting.graph import Node
from unified_blocks.porting.structure import Scope
from unified_blocks.porting.writing.keras.expressions import (
    Call,
    Leaf,
    Named,
    Shared,
    Step,
    Tensor,
    form,
    leaves,
    parts,
)  # fmt: skip
from unified_blocks.porting.writing.keras.writer import Writer

CONTAINERS = {"", "HybridSequential", "Sequential", "HybridConcurrent", "Concurrent"}
"""Kinds that say nothing of what a block is: one is written where it stands."""
Held: TypeAlias = "Tensor | Shared"


@dataclass(eq=False)
class Block:
    """A call of a block: statements and blocks in it, with what passes its border."""

    path: tuple[str, ...]
    kind: str
    items: list[Step | Block] = field(default_factory=list)
    reads: tuple[Held, ...] = ()
    outputs: tuple[Held, ...] = ()

    def steps(self) -> Iterator[Step]:
        """All statements in it, in order."""
        for item in self.items:
            if isinstance(item, Step):
                yield item
            else:
                yield from item.steps()


def tree(scope: Scope, writer: Writer) -> Block:
    """The blocks of a network, with the statements of their nodes."""
    block = Block(scope.path, scope.kind)
    for item in scope.items:
        if isinstance(item, Node):
            block.items += writer.steps[item]
        elif (inner := tree(item, writer)).items:
            block.items.append(inner)
    return block


def place_shared(block: Block, made: frozenset[Shared] = frozenset()) -> None:
    """Put what makes a layer that is called twice before its first call, as far in as it can."""
    used: dict[Shared, list[int]] = {}
    for i, item in enumerate(block.items):
        within = [item] if isinstance(item, Step) else list(item.steps())
        for shared in dict.fromkeys(r for s in within for r in s.reads if isinstance(r, Shared)):
            used.setdefault(shared, []).append(i)
    before: dict[int, list[Step]] = {}
    here = set(made)
    for shared, places in used.items():
        if shared not in made and (len(places) > 1 or isinstance(block.items[places[0]], Step)):
            before.setdefault(places[0], []).append(Step((shared,), shared.made, shared.path))
            here.add(shared)
    block.items = [
        each for i, item in enumerate(block.items) for each in (*before.get(i, ()), item)
    ]
    for item in block.items:
        if isinstance(item, Block):
            place_shared(item, frozenset(here))


def close(block: Block, outputs: list[Tensor]) -> None:
    """Find what passes the border of each block."""
    readers: dict[Held, set[int]] = {}
    for step in block.steps():
        for each in step.reads:
            readers.setdefault(each, set()).add(id(step))
    wanted = set(outputs)

    def visit(block: Block) -> None:
        for item in block.items:
            if isinstance(item, Block):
                visit(item)
        inside = list(block.steps())
        made = dict.fromkeys(held for step in inside for held in step.outputs)
        ids = set(map(id, inside))
        block.reads = tuple(
            dict.fromkeys(each for step in inside for each in step.reads if each not in made)
        )
        block.outputs = tuple(
            each for each in made if each in wanted or readers.get(each, set()) - ids
        )

    visit(block)


class Division:
    """The functions of a network.

    Attributes:
        calls: of each function, by the form of its blocks, the blocks that are calls of it.
        told: of each function, what `arguments` says.
    """

    def __init__(self, top: Block) -> None:
        self._forms: dict[Block, Any] = {}
        self._literals: dict[Block, list[Leaf]] = {}
        self.calls: dict[Any, list[Block]] = {}
        self.told: dict[Any, tuple[list[Argument], dict[int, str]]] = {}
        self._plan(top)
        self.calls = {each: [] for each in self.calls}
        self._collect(top)
        for key, calls in [*self.calls.items()]:
            found = arguments([self.literals(call) for call in calls]) if calls else ([], {})
            alone = calls and calls[0].kind in CONTAINERS
            if not calls or (alone and len(found[0]) > 1 + len(calls[0].items)):
                del self.calls[key]  # it would be told more than it does
            else:
                self.told[key] = found

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

    def literals(self, block: Block) -> list[Leaf]:
        """The literals in a block, in order."""
        if block not in self._literals:
            self._literals[block] = list(
                chain.from_iterable(
                    leaves(item.expression) if isinstance(item, Step) else self.literals(item)
                    for item in block.items
                )
            )
        return self._literals[block]

    def is_function(self, block: Block) -> bool:
        """Whether a block is a call of a function."""
        return self.form(block) in self.calls

    def _plan(self, block: Block) -> None:
        """Find the functions that the body of a block calls, and those that they call."""
        found = Counter(map(self.form, _within(block)))

        def visit(items: list[Step | Block]) -> None:
            for item in items:
                if not isinstance(item, Block):
                    continue
                key = self.form(item)
                if key in self.calls:
                    continue
                own = item.kind not in CONTAINERS and sum(1 for _ in item.steps()) > 1
                if own or (len(item.items) > 1 and found[key] > 1):
                    self.calls[key] = []
                    self._plan(item)
                else:
                    visit(item.items)

        visit(block.items)

    def _collect(self, block: Block) -> None:
        for item in block.items:
            if isinstance(item, Block):
                self._collect(item)
                if self.is_function(item):
                    self.calls[self.form(item)].append(item)


def _within(block: Block) -> Iterator[Block]:
    """The blocks in a block, but for those in one that has a name of its own."""
    for item in block.items:
        if isinstance(item, Block):
            yield item
            if item.kind in CONTAINERS:
                yield from _within(item)


def has_names(block: Block) -> bool:
    """Whether any layer in a block has a name."""
    return any(_named(step.expression) for step in block.steps())


def _named(expression: Any) -> bool:
    return isinstance(expression, Named) or any(_named(p) for p, _, _ in parts(expression))


def snake(name: str) -> str:
    """`BottleneckV1` as `bottleneck_v1`."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    name = re.sub(r"\W+", "_", name).strip("_").lower()
    return name if name.isidentifier() else f"block_{name}"


SHORT = {
    "Conv": "conv", "DepthwiseConv": "depthwise", "BatchNormalization": "bn", "Dense": "dense",
    "ReLU": "relu", "MaxPooling": "pool", "AveragePooling": "pool", "Activation": "activation",
    "Dropout": "dropout", "Concatenate": "concat",
}  # fmt: skip
"""What a short chain of layers is called after."""


def title(block: Block) -> str:
    """What the function of a block is called."""
    if block.kind not in CONTAINERS:
        return snake(block.kind)
    kinds = []
    for step in block.steps():
        made = step.expression
        while isinstance(made, Call) and isinstance(made.function, Call):
            made = made.function
        kind = made.function if isinstance(made, Call) and isinstance(made.function, str) else ""
        kinds.append(re.sub(r"\dD$", "", kind.removeprefix("layers.")))
    shown = [kind for kind in kinds if kind != "ZeroPadding"]
    if len(shown) < 5 and all(kind in SHORT for kind in shown):
        return "_".join(SHORT[kind] for kind in shown)
    own = block.path[-1]
    if not own[-1].isdigit():
        return snake(own)
    if shown[-1] == "Concatenate":
        *_, end = block.steps()
        return "dense_layer" if set(end.reads) & set(block.reads) else "branches"
    return "block"


@dataclass
class Argument:
    """What a function must be told.

    Attributes:
        name: of it.
        place: of the first literal that it stands for.
        values: in each call.
        default: what it is when a call does not say; `...` where each call must.
    """

    name: str
    place: int
    values: tuple[Any, ...]
    default: Any = ...

    @property
    def hint(self) -> str:
        """Its type."""
        found = dict.fromkeys(
            "None" if value is None else f"tuple[{', '.join(type(v).__name__ for v in value)}]"
            if isinstance(value, tuple) else type(value).__name__ for value in self.values
        )  # fmt: skip
        return " | ".join(sorted(found, key=lambda hint: (hint == "None", "[" in hint)))


def arguments(literals: list[list[Leaf]]) -> tuple[list[Argument], dict[int, str]]:
    """The arguments of a function, and the expression of each literal that differs.

    Args:
        literals: of each call, in the same order.
    """
    found: list[Argument] = []
    for place, column in enumerate(zip(*literals, strict=True)):
        values = tuple(leaf.value for leaf in column)
        if len(set(map(repr, values))) > 1 and all(a.values != values for a in found):
            first = column[0]
            default = first.default if first.default in values else ...
            found.append(Argument(first.name, place, values, default))
    bases: list[Argument] = []
    texts: dict[tuple[Any, ...], str] = {}
    for each in sorted(found, key=_size):
        for base in bases:
            if (factor := _factor(each.values, base.values)) is not None:
                texts[each.values] = f"{factor} * {{{base.place}}}"
                break
        else:
            bases.append(each)
            texts[each.values] = f"{{{each.place}}}"
    bases.sort(key=lambda a: a.place)
    counts = Counter(a.name for a in bases)
    numbers: Counter[str] = Counter()
    for each in bases:
        numbers[each.name] += 1
        if counts[each.name] > 1:
            each.name = f"{each.name}{numbers[each.name]}"
    names = {str(a.place): a.name for a in bases}
    replaced = {
        values: re.sub(r"\{(\d+)\}", lambda m: names[m[1]], text) for values, text in texts.items()
    }
    expressions = {}
    for place, column in enumerate(zip(*literals, strict=True)):
        values = tuple(leaf.value for leaf in column)
        if values in replaced and len(set(map(repr, values))) > 1:
            expressions[place] = replaced[values]
    bases.sort(key=lambda a: a.default is not ...)
    return bases, expressions


def _size(argument: Argument) -> Any:
    whole = all(type(value) is int for value in argument.values)
    return (whole, sum(argument.values) if whole else 0)


def _factor(values: tuple[Any, ...], base: tuple[Any, ...]) -> int | None:
    """By what whole number each value is larger."""
    if not all(type(v) is int for v in (*values, *base)) or 0 in base:
        return None
    factors = {v // b if v % b == 0 else None for v, b in zip(values, base, strict=True)}
    (factor,) = factors if len(factors) == 1 else (None,)
    return factor if factor is not None and factor > 1 else None
