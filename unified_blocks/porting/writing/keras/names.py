"""What layers are called, and which layers an expression calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from unified_blocks.porting.graph import Node
from unified_blocks.porting.writing.keras.expressions import Call, Expression, Named, Shared, parts

Path: TypeAlias = tuple[str, ...]


def calls_in(expression: Expression, is_whole: bool = True) -> Iterator[tuple[Path, bool]]:
    """The layers with names that an expression calls, and whether it is no more than the call."""
    made = expression.function if isinstance(expression, Call) else None
    if isinstance(made, Shared):
        yield made.path, is_whole
    elif isinstance(made, Call):
        for _, each in made.keywords:
            if isinstance(each, Named):
                yield each.path, is_whole
    for part, _, _ in parts(expression):
        if part is not made:
            yield from calls_in(part, False)


def dotted(path: Path) -> str:
    """What Keras calls the layer of a path."""
    return ".".join(path).replace("/", "_")


def layer_key(node: Node) -> tuple[Any, ...]:
    """The same for two nodes that are calls of one layer."""
    return (node.operation, *map(id, node.owned))
