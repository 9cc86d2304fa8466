"""A graph as a person divides it: blocks in blocks, each with what it takes and gives.

Every target writes the same division: a class for each distinct block on PyTorch, a function for
each on Keras.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from unified_blocks.porting.graph import Graph, Node, Value


@dataclass(eq=False)
class Scope:
    """A call of a block: what it does in order, and what passes its border.

    Attributes:
        name: of its attribute in the block around it; empty of the network itself.
        path: the names of the blocks around it, and its own.
        kind: the name of its class; empty where it is not known.
        items: blocks and nodes, in the order in which they run.
        inputs: the values that it takes, but for parameters, in order of first use.
        outputs: the values that others take of it, in order.
    """

    name: str
    path: tuple[str, ...] = ()
    kind: str = ""
    items: list[Item] = field(default_factory=list)
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)

    def nodes(self) -> Iterator[Node]:
        """All nodes in it, in order."""
        for item in self.items:
            if isinstance(item, Node):
                yield item
            else:
                yield from item.nodes()

    @property
    def is_chain(self) -> bool:
        """Whether each item takes what the one before it gives, and nothing else."""
        if len(self.inputs) != 1 or len(self.outputs) != 1:
            return False
        (value,) = self.inputs
        for item in self.items:
            if taken(item) != [value] or len(given(item)) != 1:
                return False
            (value,) = given(item)
        return value is self.outputs[0]


Item: TypeAlias = "Node | Scope"


def taken(item: Item) -> list[Value]:
    """What a node or a block takes of others."""
    return list(dict.fromkeys(item.taken)) if isinstance(item, Node) else item.inputs


def given(item: Item) -> list[Value]:
    """What a node or a block gives to others."""
    return list(item.outputs) if isinstance(item, Node) else item.outputs


def divided(graph: Graph) -> Scope:
    """The blocks of a graph, as the paths of its nodes say.

    Nodes of one path are in one block as long as they run one after another; a block that others
    run in between is called anew.
    """
    top = Scope("", kind=graph.name)
    opened = [top]
    for node in graph.nodes:
        blocks = node.path[:-1]
        depth = 0
        while depth < min(len(blocks), len(opened) - 1) and opened[depth + 1].name == blocks[depth]:
            depth += 1
        del opened[depth + 1 :]
        for name in blocks[depth:]:
            kind = node.kinds[len(opened) - 1] if node.kinds else ""
            scope = Scope(name, (*opened[-1].path, name), kind)
            opened[-1].items.append(scope)
            opened.append(scope)
        opened[-1].items.append(node)
    _close(top, graph)
    return top


def _close(top: Scope, graph: Graph) -> None:
    """Find what passes the border of each block."""
    users: dict[Value, set[int]] = {}
    for node in graph.nodes:
        for value in node.inputs:
            users.setdefault(value, set()).add(id(node))

    def close(scope: Scope) -> None:
        for item in scope.items:
            if isinstance(item, Scope):
                close(item)
        inside = list(scope.nodes())
        made = {value: None for node in inside for value in node.outputs}
        ids = {id(node) for node in inside}
        scope.inputs = list(
            dict.fromkeys(v for node in inside for v in node.taken if v not in made)
        )
        wanted = set(graph.outputs)
        scope.outputs = [v for v in made if v in wanted or users.get(v, set()) - ids]

    close(top)
    top.inputs, top.outputs = list(graph.inputs), list(graph.outputs)
