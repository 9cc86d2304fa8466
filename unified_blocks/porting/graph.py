"""The form that a network of others is read into: typed nodes, with the shape of all they give.

Images are `(n, c, *space)`, weights are in the canonical layout, and nothing here belongs to one
framework.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from unified_blocks.porting.operations.operation import Operation
from unified_blocks.types import Array, Shape


@dataclass(eq=False)
class Value:
    """What a node takes or gives.

    Attributes:
        name: what the network calls it.
        shape: with the example that the network was read for.
        dtype: by NumPy's name.
        growth: by how much each axis grows when the batch grows by one; 0 where it does not.
        origin: the node of the network that was read that gives it, and which of its outputs it
            is; None of what only this graph has.
    """

    name: str
    shape: Shape
    dtype: str = "float32"
    growth: Shape = ()
    origin: tuple[str, int] | None = field(default=None, kw_only=True)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def grows(self, axis: int) -> bool:
        """Whether an axis is longer for a larger batch."""
        return bool(self.growth) and self.growth[axis] != 0


@dataclass(eq=False)
class Parameter(Value):
    """Numbers that belong to the network: trained, counted or constant.

    Attributes:
        data: the numbers.
        role: `"parameter"`, trained; `"frozen"`, a parameter that is not; `"statistic"`, counted
            in training; `"constant"`.
        path: the names of the blocks that own it, and its own; empty where nobody told.
    """

    data: Array = field(default_factory=lambda: np.zeros(0))
    role: str = "parameter"
    path: tuple[str, ...] = ()

    @property
    def scalar(self) -> float | int | bool | None:
        """The number of a constant that is written into the source; None of any other.

        A floating one is the shortest that its dtype can tell from others: 0.1 is 0.1.
        """
        if self.role != "constant" or self.shape != ():
            return None
        number = self.data[()]
        return float(str(number)) if self.data.dtype.kind == "f" else number.item()


def parameter(
    name: str, data: Array, role: str = "parameter", path: Sequence[str] = ()
) -> Parameter:
    """A parameter that has these numbers."""
    return Parameter(name, data.shape, data.dtype.name, (0,) * data.ndim, data, role, tuple(path))


def constant(number: Array | float, dtype: str = "float32", name: str = "") -> Parameter:
    """A constant; one of no axes is written into the source."""
    return parameter(name, np.asarray(number, dtype), "constant")


@dataclass(eq=False)
class Node:
    """One operation of a network.

    Attributes:
        operation: what it does.
        inputs: what it takes, in the order in which the operation names them.
        outputs: what it gives.
        name: its own, in the network that was read.
        path: the names of the blocks that it is in, from the outside, and its own name there. The
            same path again is another call of the same layer.
        kinds: the class of each of those blocks; empty where the network does not know its blocks.
    """

    operation: Operation
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    name: str
    path: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def output(self) -> Value:
        """What it gives first."""
        return self.outputs[0]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of its inputs that are numbers of the network, but for written constants."""
        return tuple(v for v in self.inputs if isinstance(v, Parameter) and v.scalar is None)

    @property
    def owned(self) -> tuple[Parameter, ...]:
        """Those that belong to a layer: all but constants."""
        return tuple(each for each in self.parameters if each.role != "constant")

    @property
    def taken(self) -> tuple[Value, ...]:
        """Those of its inputs that other nodes give, or the user."""
        return tuple(value for value in self.inputs if not isinstance(value, Parameter))


@dataclass(eq=False)
class Graph:
    """A network: its nodes in an order in which they can run.

    Attributes:
        name: of the network.
        inputs: what its user gives.
        nodes: each after those whose outputs it takes.
        outputs: what its user gets.
        origin: where it was read, in words.
    """

    name: str
    inputs: list[Value]
    nodes: list[Node]
    outputs: list[Value]
    origin: str = ""

    def parameters(self) -> Iterator[Parameter]:
        """Each parameter once, in the order of first use."""
        seen: set[int] = set()
        for node in self.nodes:
            for parameter in node.parameters:
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield parameter

    def makers(self) -> dict[Value, Node]:
        """The node that gives each value."""
        return {value: node for node in self.nodes for value in node.outputs}

    def users(self) -> dict[Value, list[Node]]:
        """The nodes that take each value."""
        found: dict[Value, list[Node]] = {}
        for node in self.nodes:
            for value in dict.fromkeys(node.inputs):
                found.setdefault(value, []).append(node)
        return found


class Builder:
    """Makes a graph, node by node, with the shape of all that they give.

    Attributes:
        graph: what is made.
        makers: the node that gives each value.
    """

    def __init__(self, name: str, origin: str = "") -> None:
        self.graph = Graph(name, [], [], [], origin)
        self.makers: dict[Value, Node] = {}

    def input(self, name: str, shape: Shape, dtype: str = "float32") -> Value:
        """What the user of the network gives."""
        self.graph.inputs.append(value := Value(name, shape, dtype))
        return value

    def add(
        self,
        operation: Operation,
        *inputs: Value,
        name: str,
        path: Sequence[str] = (),
        kinds: Sequence[str] = (),
    ) -> tuple[Value, ...]:
        """Append a node.

        Returns:
            What it gives.

        Raises:
            ValueError: where the shapes do not fit the operation.
        """
        given = operation.infer(*inputs)
        outputs = tuple(
            Value(name if len(given) == 1 else f"{name}.{i}", shape, dtype)
            for i, (shape, dtype) in enumerate(given)
        )
        node = Node(operation, inputs, outputs, name, tuple(path) or (name,), tuple(kinds))
        self.graph.nodes.append(node)
        self.makers |= dict.fromkeys(outputs, node)
        return outputs
