"""A symbol of MXNet and its arrays, read into a graph of typed nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unified_blocks.errors import InputError, StateMismatchError, UnsupportedError
from unified_blocks.porting.graph import Builder, Graph, Node, Parameter, Value, parameter
from unified_blocks.porting.mxnet.handlers import load_handlers
from unified_blocks.porting.mxnet.places import places_of
from unified_blocks.porting.mxnet.reading import HANDLERS, Reading
from unified_blocks.porting.mxnet.symbols import Symbol, SymbolNode
from unified_blocks.porting.operations.shapes import BroadcastTo, Reshape
from unified_blocks.types import Array, Shape

MOST_SHOWN = 20
QUANTIZED = ("_contrib_quantize", "_contrib_dequantize", "_contrib_requantize")
FUSED = ("_sg_mkldnn_", "_sg_onednn_", "_FusedOp", "_TensorRT")
"""How the names of operators begin that MXNet put in the place of those of a network."""


@dataclass(frozen=True)
class Source:
    """A network of MXNet: what a reader needs to know of it.

    Attributes:
        name: what its user calls it.
        symbol: its graph.
        arrays: its numbers, by the names of the graph, without `arg:` and `aux:`.
        names: of arrays, the names of the blocks that own each, and its own; of live blocks only.
        frozen: names of arrays that training leaves as they are (`grad_req="null"`).
        origin: where it was read, in words.
        text: the JSON of its graph, for MXNet to compute it.
    """

    name: str
    symbol: Symbol
    arrays: Mapping[str, Array]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    frozen: frozenset[str] = frozenset()
    origin: str = ""
    text: str = ""


def read_graph(
    source: Source,
    inputs: Mapping[str, tuple[Shape, str]],
    outputs: Sequence[str] | None = None,
) -> Graph:
    """Read a network for inputs of these shapes.

    Args:
        source: the network.
        inputs: shape and dtype of each input, by name.
        outputs: names of the nodes whose outputs are wanted; default: those of the symbol.

    Returns:
        The graph. The growth of its values tells what is longer for a larger batch; there is none
        where the network is only right for this one.

    Raises:
        UnsupportedError: for operators and options that have no meaning here yet, all in one.
        StateMismatchError: where arrays are missing.
        InputError: for an input that is missing, or does not fit.
    """
    wanted = _heads(source.symbol, outputs)
    graph = _Reader(source, inputs, wanted).read()
    batch = next((shape[0] for shape, _ in inputs.values() if shape), 1)
    larger = {name: (_longer(shape, batch), dtype) for name, (shape, dtype) in inputs.items()}
    try:
        other = _Reader(source, larger, wanted).read()
    except (UnsupportedError, InputError):
        return graph  # right for this batch only
    _compare(graph, other)
    return graph


def _longer(shape: Shape, batch: int) -> Shape:
    """The shape of an input for one more in the batch: of a state, that may be in another place."""
    place = next((axis for axis, size in enumerate(shape) if size == batch), None)
    return tuple(size + (axis == place) for axis, size in enumerate(shape))


def inputs_of(source: Source, outputs: Sequence[str] | None = None) -> list[SymbolNode]:
    """The nodes that the user of a network gives, in order, but for labels."""
    wanted = _heads(source.symbol, outputs)
    live = _live(source.symbol, wanted)
    nodes = source.symbol.nodes
    labels = {
        place
        for node in (nodes[i] for i in live)
        if node.operator in LABELLED
        for place, _ in node.inputs[1:]
    }
    return [
        nodes[i]
        for i in sorted(live)
        if nodes[i].operator == "null" and nodes[i].name not in source.arrays and i not in labels
    ]


LABELLED = {
    *("SoftmaxOutput", "Softmax", "LinearRegressionOutput", "LogisticRegressionOutput"),
    *("MAERegressionOutput", "SVMOutput", "WarpCTC"),
}
"""Operators whose inputs after the first are labels, which only training has."""


CUT = {
    *("CTCLoss", "ctc_loss", "_contrib_CTCLoss", "_contrib_ctc_loss"),
    *("BlockGrad", "stop_gradient", "MakeLoss", "make_loss"),
}
"""Operators that are only for training: a network that ends with one ends before it."""


def _heads(symbol: Symbol, outputs: Sequence[str] | None) -> list[tuple[int, int]]:
    """What is wanted of a symbol: the place of each node, and which of its outputs."""
    heads = []
    for head in _named(symbol, outputs):
        while (node := symbol.nodes[head[0]]).operator in CUT:
            head = node.inputs[0]
        heads.append(head)
    return heads


def _named(symbol: Symbol, outputs: Sequence[str] | None) -> list[tuple[int, int]]:
    if outputs is None:
        return list(symbol.heads)
    places = {node.name: i for i, node in enumerate(symbol.nodes)}
    found = []
    for name in outputs:
        plain, _, number = name.removesuffix("_output").partition(":")
        place = places.get(name, places.get(plain))
        if place is None:
            raise InputError(
                f"outputs: each must be the name of a node; got {name!r}; the last ones are "
                f"{', '.join(node.name for node in symbol.nodes[-5:])}"
            )
        found.append((place, int(number or 0)))
    return found


def _live(symbol: Symbol, heads: Sequence[tuple[int, int]]) -> set[int]:
    """The places of the nodes that the heads need."""
    live: set[int] = set()
    todo = [place for place, _ in heads]
    while todo:
        if (place := todo.pop()) not in live:
            live.add(place)
            todo += [source for source, _ in symbol.nodes[place].inputs]
    return live


class _Reader:
    """One pass over a symbol."""

    def __init__(
        self,
        source: Source,
        inputs: Mapping[str, tuple[Shape, str]],
        heads: Sequence[tuple[int, int]],
    ) -> None:
        load_handlers()
        self.source = source
        self.inputs = inputs
        self.heads = heads
        self.builder = Builder(source.name, source.origin)
        self.values: dict[tuple[int, int], Value | None] = {}
        self.derived: dict[Any, Any] = {}
        self.refused: list[str] = []
        nodes = source.symbol.nodes
        self.first = {nodes[node.inputs[0][0]].name for node in nodes if node.inputs}
        self.places = places_of(source.symbol, source.names)

    def read(self) -> Graph:
        symbol = self.source.symbol
        live = sorted(_live(symbol, self.heads))
        expected = {node.name for node in inputs_of(self.source, None)}
        for place in live:
            node = symbol.nodes[place]
            if node.operator == "null":
                self.values[place, 0] = self._given(node, expected)
            else:
                self._node(place, node)
        if self.refused:
            shown = "".join(f"\n  {each}" for each in self.refused[:MOST_SHOWN])
            more = self.refused[MOST_SHOWN:]
            raise UnsupportedError(
                f"{self.source.name}: each node must be one that can be read; got {shown}"
                + (f"\n  and {len(more)} more: {', '.join(more)}" if more else "")
                + f"\n{self._remedy(live)}"
            )
        for head in self.heads:
            value = self.values[head]
            if value is None:
                name = symbol.nodes[head[0]].name
                raise InputError(f"{self.source.name}: an output must be computed; got {name!r}")
            self.builder.graph.outputs.append(value)
        self.builder.graph.nodes = _needed(self.builder.graph)
        return self.builder.graph

    def _remedy(self, live: Sequence[int]) -> str:
        """What to do about nodes that cannot be read."""
        nodes = [self.source.symbol.nodes[place] for place in live]
        made = [node for node in nodes if node.operator.startswith((*QUANTIZED, *FUSED))]
        if any(n.operator.startswith(QUANTIZED) or "quantized" in n.options for n in made):
            return "the network was quantized by MXNet: port the float network it was made of"
        if made:
            return "the network was fused by MXNet for one machine: port the one it was made of"
        return (
            "cut the network before them with outputs=[…], or say what an operator means with "
            "ub.porting.register"
        )

    def _given(self, node: SymbolNode, expected: set[str]) -> Value | None:
        """An input or an array; None of a label that nothing needs."""
        name = node.name
        if name in self.source.arrays:
            role = "frozen" if name in self.source.frozen else "parameter"
            return parameter(name, self.source.arrays[name], role, self.source.names.get(name, ()))
        if name in self.inputs:
            return self.builder.input(name, *self.inputs[name])
        if name not in expected:
            return None
        if self.source.arrays and name not in self.first:  # operators take their arrays last
            raise StateMismatchError(
                f"{self.source.name}: params must have every array of the graph; {name!r} is "
                "missing: give the .params file that belongs to it"
            )
        raise InputError(
            f"{self.source.name}: each input must have a shape; {name!r} has none: give an example,"
            f" or --input {name}=1,3,224,224"
        )

    def _node(self, place: int, node: SymbolNode) -> None:
        handler = HANDLERS.get(node.operator)
        if handler is None:
            self.refused.append(f"{node.name}: operator {node.operator}")
            return
        given: list[Any] = [self.values.get(each) for each in node.inputs]
        if node.operator in LABELLED:
            given = given[:1]
        if any(each is None for each in given):
            return  # it needs one that was refused
        reading = Reading(node, given, self.builder, self.places.get(place, ((), ())), self.derived)
        try:
            made = handler(reading)
        except UnsupportedError as error:
            self.refused.append(str(error))
            return
        except ValueError as error:
            raise InputError(
                f"{node.name} ({node.operator}): its inputs must fit; got {error}; give an example "
                "of the shape that the network was made for"
            ) from None
        if left := reading.left():
            options = ", ".join(f"{key}={value}" for key, value in left.items())
            self.refused.append(f"{node.name} ({node.operator}): {options}")
            return
        for i, value in enumerate(made if isinstance(made, tuple) else (made,)):
            self.values[place, i] = value
            value.origin = value.origin or (node.name, i)


def _needed(graph: Graph) -> list[Node]:
    """The nodes that an output needs: some are only there for what was read differently."""
    wanted, needed = set(graph.outputs), []
    for node in reversed(graph.nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            needed.append(node)
    return needed[::-1]


def _compare(graph: Graph, other: Graph) -> None:
    """Write into each value by how much it grows with the batch.

    Nothing grows where the two do something else: the network is right for one batch only.
    """
    if len(graph.nodes) != len(other.nodes):
        return
    for mine, larger in zip(graph.nodes, other.nodes, strict=True):
        if not _alike(mine, larger):
            return
    if any(a.rank != b.rank for a, b in zip(_values(graph), _values(other), strict=True)):
        return
    for value, longer in zip(_values(graph), _values(other), strict=True):
        value.growth = tuple(b - a for a, b in zip(value.shape, longer.shape, strict=True))


def _alike(node: Node, other: Node) -> bool:
    """Whether two nodes do the same, but for the shapes that they give."""
    same = node.operation == other.operation
    if isinstance(node.operation, Reshape | BroadcastTo):
        same = type(node.operation) is type(other.operation)
    return same and _constants(node) == _constants(other)


def _constants(node: Node) -> list[tuple[Shape, bytes]]:
    """The numbers that a node takes which are made of nothing, or of a shape."""
    arrays = (v.data for v in node.inputs if isinstance(v, Parameter) and v.role == "constant")
    return [(array.shape, array.tobytes()) for array in arrays]


def _values(graph: Graph) -> list[Value]:
    return [*graph.inputs, *(value for node in graph.nodes for value in node.outputs)]
