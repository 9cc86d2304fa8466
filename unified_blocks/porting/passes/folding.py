"""What no input changes is computed once."""

from __future__ import annotations

from unified_blocks.porting.graph import Graph, Node, Parameter, Value, parameter
from unified_blocks.porting.operations.elementwise import Elementwise
from unified_blocks.porting.operations.shapes import BroadcastTo


def fold(graph: Graph) -> None:
    """Compute the nodes that take constants alone, and leave them out.

    What grows with the batch stays, and so does an output of the network.
    """
    known: dict[Value, Parameter] = {}
    outputs = set(graph.outputs)
    kept = []
    for node in graph.nodes:
        node.inputs = tuple(known.get(value, value) for value in node.inputs)
        if _is_constant(node) and not outputs & set(node.outputs):
            made = node.operation.compute(
                *(v.data for v in node.inputs if isinstance(v, Parameter))
            )
            arrays = made if isinstance(made, tuple) else (made,)
            for value, array in zip(node.outputs, arrays, strict=True):
                numbers = array.astype(value.dtype)
                known[value] = parameter(value.name, numbers, "constant", node.path)
        else:
            kept.append(node)
    graph.nodes = kept
    for node in kept:
        _without_zeros(node)


def _without_zeros(node: Node) -> None:
    """Zeros that are added only tell a shape."""
    if node.operation != Elementwise("add"):
        return
    for x, other in (node.inputs, node.inputs[::-1]):
        if _is_zeros(other) and x.rank == node.output.rank:
            node.operation, node.inputs = BroadcastTo(node.output.shape), (x,)
            return


def _is_zeros(value: Value) -> bool:
    return isinstance(value, Parameter) and value.role == "constant" and not value.data.any()


def _is_constant(node: Node) -> bool:
    return (
        bool(node.inputs)
        and all(isinstance(v, Parameter) and v.role == "constant" for v in node.inputs)
        and not any(any(value.growth) for value in node.outputs)
    )
