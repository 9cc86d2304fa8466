"""What a picture shows: the calls of one run as a tree, and how many parameters each has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from unified_blocks import layers
from unified_blocks.backend import Backend, Variable
from unified_blocks.block import Block
from unified_blocks.equivalence.watching import Call
from unified_blocks.types import Array

LAYERS = tuple(getattr(layers, name) for name in layers.__all__)


@dataclass(eq=False)
class Node:
    """A call of a layer, or of a block with the calls inside it.

    Attributes:
        kind: what its block is called on every framework.
        path: the canonical name of the block, `""` of the model itself.
        shapes: of each of its parameters, by name.
        count: how many parameters it has; those that were drawn before are not counted again.
        is_shared: whether all that it has were drawn before.
        own: the numbers that the block itself holds, not a layer inside it.
        children: the calls inside it, in their order; none inside a layer.
    """

    call: Call
    kind: str
    path: str
    shapes: dict[str, tuple[int, ...]]
    count: int
    is_shared: bool
    own: list[Variable] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    @property
    def is_sequence(self) -> bool:
        """Whether its name says nothing but that one thing comes after another."""
        return self.kind.endswith("Sequential")

    def hands_on(self, inner: Node) -> bool:
        """Whether `inner`, the only call inside it, is all that it does."""
        mine, its = self.call, inner.call
        return self.shapes.keys() == inner.shapes.keys() and (
            same(mine.inputs, its.inputs) and same(mine.outputs, its.outputs)
        )

    @property
    def is_nothing(self) -> bool:
        """Whether it is an empty sequence, which gives what it takes."""
        return self.is_sequence and not self.children and same(self.call.inputs, self.call.outputs)


def same(a: Sequence[Array], b: Sequence[Array]) -> bool:
    """Whether these are the same numbers, bit for bit."""
    return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))


def equal(a: Array, b: Array) -> bool:
    return (
        a.shape == b.shape
        and a.dtype == b.dtype
        and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
    )


def tree_of(backend: Backend, calls: Sequence[Call], variables: Sequence[Variable]) -> Node:
    """The call of the model, the last of `calls`, with all that is to be drawn inside it."""
    root = _Tree(backend, calls, variables).root
    if root.children:
        return _without_wrappers(root)
    return Node(root.call, root.kind, "", root.shapes, root.count, False, children=[root])


class _Tree:
    def __init__(
        self, backend: Backend, calls: Sequence[Call], variables: Sequence[Variable]
    ) -> None:
        self.backend = backend
        self.variables = variables
        self.drawn: set[int] = set()
        self.calls = sorted(calls, key=lambda call: call.start)
        self.next = 1
        self.root = self.grown(self.calls[0])

    def grown(self, call: Call) -> Node:
        held = [v for v in self.variables if v.role == "parameter" and _below(v, call.path)]
        fresh = [v for v in held if id(v) not in self.drawn]
        node = Node(
            call,
            type(call.block).__name__ if isinstance(call.block, Block) else call.kind,
            call.path,
            {v.name: _shape(v) for v in held},
            sum(prod(_shape(v)) for v in fresh),
            bool(held) and not fresh,
            [v for v in self.variables if v.owner is call.block],
        )
        while self.next < len(self.calls) and self.calls[self.next].end < call.end:
            self.next += 1
            child = self.grown(self.calls[self.next - 1])
            if not self.is_layer(call.block) and not child.is_nothing:
                node.children.append(child)
        self.drawn.update(id(v) for v in held)
        return node

    def is_layer(self, block: Any) -> bool:
        return isinstance(block, LAYERS) or self.backend.known_kind_of(block) is not None


def _shape(variable: Variable) -> tuple[int, ...]:
    return tuple(size for size in variable.shape or () if size is not None)


def _below(variable: Variable, path: str) -> bool:
    return not path or any(
        name.startswith(f"{path}.") for name in (variable.name, *variable.aliases)
    )


def _without_wrappers(node: Node, is_root: bool = True) -> Node:
    """`node`, where a sequence of one block is that block, and one that is a whole block is it."""
    node.children = [_without_wrappers(child, False) for child in node.children]
    if len(node.children) != 1 or not node.hands_on(node.children[0]):
        return node
    (inner,) = node.children
    if not inner.children:
        return inner if node.is_sequence and not is_root else node
    if node.is_sequence and not inner.is_sequence:
        node.kind, node.path = inner.kind, "" if is_root else inner.path
    elif not inner.is_sequence:
        return node
    node.call, node.own, node.children = inner.call, node.own + inner.own, inner.children
    return node
