"""A graph by NumPy: what each of its values is, with no framework."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from unified_blocks.porting.graph import Graph, Parameter, Value
from unified_blocks.types import Array


def values_of(
    graph: Graph, inputs: Mapping[str, Array], dtype: str = "float64"
) -> dict[Value, Array]:
    """The numbers of each value of a graph, as the network computes them when it is used.

    Args:
        graph: the network.
        inputs: an array for each input, by name.
        dtype: that all floating numbers are computed in.
    """
    known: dict[Value, Array] = {value: _cast(inputs[value.name], dtype) for value in graph.inputs}
    for parameter in graph.parameters():
        known[parameter] = _cast(parameter.data, dtype)
    for node in graph.nodes:
        given = [
            _number(each, dtype) if isinstance(each, Parameter) and each not in known
            else known[each]
            for each in node.inputs
        ]  # fmt: skip
        made = node.operation.compute(*given)
        for value, array in zip(
            node.outputs, made if isinstance(made, tuple) else (made,), strict=True
        ):
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
