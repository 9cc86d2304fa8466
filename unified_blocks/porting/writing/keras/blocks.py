"""The blocks of a network, with the statements that they are written as."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from unified_blocks.porting.graph import Node
from unified_blocks.porting.structure import Scope
from unified_blocks.porting.writing.keras.expressions import (
    Call,
    Named,
    Shared,
    Step,
    Tensor,
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
    end = block.items[-1]
    if shown[-1] == "Concatenate" and isinstance(end, Step):
        return "dense_layer" if set(end.reads) & set(block.reads) else "branches"
    return "stage" if any(isinstance(item, Block) for item in block.items) else "block"
