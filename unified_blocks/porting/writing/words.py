"""What a target calls each operation: its vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Graph, Node, Parameter, Value
from unified_blocks.porting.operations.operation import Operation
from unified_blocks.porting.writing.pieces import Piece

MOST_SHOWN = 20


@dataclass(frozen=True)
class Word:
    """How a node is written.

    Attributes:
        layer: what makes it, where it is a layer.
        weights: the parameters of the layer, by the names that it gives them.
        expression: what it is in a forward, where it is no layer, or need not be one. Its parts
            are the values that the node takes.
        called: how the layer is called in a forward, a `{}` for itself, and one for all that it
            takes, or for each.
        gives: how what it gives is taken apart, a `{}` for each, where that is more than a row.
        count: how many of the outputs of its node it gives; None, all.
        alone: how it is written where only the first output is wanted.
        needs: names of helpers that the source must define.
    """

    layer: Piece | None = None
    weights: Mapping[str, Parameter] = field(default_factory=dict)
    expression: Piece | None = None
    called: str = "{}({})"
    gives: str = ""
    count: int | None = None
    alone: Word | None = None
    needs: tuple[str, ...] = ()

    @property
    def is_plain_layer(self) -> bool:
        """Whether it can stand in a sequence of layers."""
        return self.layer is not None and self.called == "{}({})" and not self.gives


Writes = Callable[[Any, Node], Word]


class Vocabulary:
    """A table from operations to the functions that write them.

    Args:
        target: the name of the target, for messages.
        others: what knows more, for messages.
        own_numbers: whether a block can have trained numbers that no layer of it owns.
    """

    def __init__(
        self, target: str, others: str = "another target", own_numbers: bool = True
    ) -> None:
        self.target = target
        self.others = others
        self.own_numbers = own_numbers
        self._table: dict[type[Operation], Writes] = {}

    def writes(self, *operations: type[Operation]) -> Callable[[Writes], Writes]:
        """Say how nodes of an operation are written; a decorator of `(operation, node) -> Word`."""

        def registered(function: Writes) -> Writes:
            self._table.update(dict.fromkeys(operations, function))
            return function

        return registered

    @property
    def operations(self) -> tuple[type[Operation], ...]:
        """All for which there is a word."""
        return tuple(self._table)

    def words(self, graph: Graph) -> dict[Node, Word]:
        """The word of each node.

        Raises:
            UnsupportedError: where there is none, for all such nodes in one.
        """
        found: dict[Node, Word] = {}
        refused: list[str] = []
        used = {*graph.outputs, *(value for node in graph.nodes for value in node.inputs)}
        for node in graph.nodes:
            function = self._table.get(type(node.operation))
            if function is None:
                refused.append(f"{node.name}: {type(node.operation).__name__}")
                continue
            try:
                word = function(node.operation, node)
                single = word.alone is not None and used.isdisjoint(node.outputs[1:])
                found[node] = word.alone if single and word.alone else word
                refused += [] if self.own_numbers else _unowned(node, word)
            except UnsupportedError as error:
                refused.append(f"{node.name}: {error}")
        if refused:
            raise UnsupportedError(refusal(graph.name, self.target, refused, self.others))
        return found


def _unowned(node: Node, word: Word) -> list[str]:
    """What is said of the trained numbers of a node that are in no layer."""
    owned = {*word.weights.values()}
    return [
        f"{node.name}: {each.name} is trained, and belongs to no layer"
        for each in node.parameters
        if each.role == "parameter" and each not in owned
    ]


def refusal(network: str, target: str, refused: Sequence[str], others: str) -> str:
    """The message for nodes that a target cannot write."""
    shown = "".join(f"\n  {each}" for each in refused[:MOST_SHOWN])
    more = len(refused) - MOST_SHOWN
    return (
        f"{network}: each operation must be one that {target} can be written with; got {shown}"
        + (f"\n  and {more} more" if more > 0 else "")
        + f"\ncut the network before them with outputs=[…], or port it to {others}"
    )


def own_weights(node: Node, *places: int) -> bool:
    """Whether these inputs of a node, where it has them, are numbers that a layer can own."""
    given = [node.inputs[place] for place in places if place < len(node.inputs)]
    return all(isinstance(each, Parameter) for each in given) and len(set(given)) == len(given)


def named(**weights: Value | None) -> dict[str, Parameter]:
    """The parameters of a layer, without those that it lacks."""
    return {name: each for name, each in weights.items() if isinstance(each, Parameter)}
