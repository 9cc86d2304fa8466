"""A graph by NumPy: what each of its values is, with no framework."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from unified_blocks.porting.graph import Graph, Node, Parameter, Value
from unified_blocks.types import Array

Chosen = Callable[[Node, Sequence[Array], tuple[Array, ...]], tuple[Array, ...]]


def values_of(
    graph: Graph,
    inputs: Mapping[str, Array],
    dtype: str = "float64",
    *,
    taken: Mapping[Value, Array] | None = None,
    by: Collection[Node] = (),
    chosen: Chosen | None = None,
) -> dict[Value, Array]:
    """The numbers of each value of a graph, as the network computes them when it is used.

    Args:
        graph: the network.
        inputs: an array for each input, by name.
        dtype: that all floating numbers are computed in.
        taken: the numbers of another computation.
        by: the nodes that take those, instead of what is computed here.
        chosen: what a node gives, of itself, of what it takes, and of what it gives here.
    """
    known: dict[Value, Array] = {value: _cast(inputs[value.name], dtype) for value in graph.inputs}
    for parameter in graph.parameters():
        known[parameter] = _cast(parameter.data, dtype)
    for node in graph.nodes:
        source = {**known, **taken} if taken and node in by else known
        given = [
            _number(each, dtype) if isinstance(each, Parameter) and each not in source
            else source[each]
            for each in node.inputs
        ]  # fmt: skip
        made = node.operation.compute(*given)
        made = made if isinstance(made, tuple) else (made,)
        made = chosen(node, given, made) if chosen else made
        for value, array in zip(node.outputs, made, strict=True):
            known[value] = _cast(array, dtype)
    for value in graph.outputs:
        if isinstance(value, Parameter):
            known[value] = _cast(value.data, dtype)
    return known


def _number(parameter: Parameter, dtype: str) -> Array:
    """A constant, as a target that it is written for reads it."""
    number = parameter.scalar
    return np.asarray(number, dtype if isinstance(number, float) else parameter.dtype)


def _cast(array: Array, dtype: str) -> Array:
    return array.astype(dtype, copy=False) if np.issubdtype(array.dtype, np.floating) else array
