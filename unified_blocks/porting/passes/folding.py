"""What no input changes is computed once."""

from __future__ import annotations

from unified_blocks.porting.graph import Graph, Node, Parameter, Value, parameter


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


def _is_constant(node: Node) -> bool:
    return (
        bool(node.inputs)
        and all(isinstance(v, Parameter) and v.role == "constant" for v in node.inputs)
        and not any(any(value.growth) for value in node.outputs)
    )
