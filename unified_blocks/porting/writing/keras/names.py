"""What layers are called, and which nodes are calls of one layer."""

from __future__ import annotations

from typing import Any, TypeAlias

from unified_blocks.porting.graph import Node

Path: TypeAlias = tuple[str, ...]


def layer_key(node: Node) -> tuple[Any, ...]:
    """The same for two nodes that are calls of one layer."""
    return (node.operation, *map(id, node.owned))
