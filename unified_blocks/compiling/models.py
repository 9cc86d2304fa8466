"""The ways to run a model: as it is, and as each kind of graph that gives the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unified_blocks.backend import EAGER, Backend, Graph
from unified_blocks.backend.tensors import numbers_of
from unified_blocks.compiling.figures import Figure, timed
from unified_blocks.models.outputs import in_numpy
from unified_blocks.reference.rows import rows_of
from unified_blocks.types import Array

Outputs = tuple[list[Array], list[str]]
Probe = tuple[list[Any], Outputs]
"""Inputs, and the outputs of an eager call with them."""


def measured(
    net: Any, backend: Backend, inputs: list[Any]
) -> tuple[dict[str, Callable[..., Any]], list[Figure]]:
    """The functions that run `net` rightly, by name, and what was found about each kind."""
    ways: dict[str, Callable[..., Any]] = {EAGER: backend.caller(net)}
    figures = [Figure(EAGER)]
    with backend.inferring(net):
        probes = probes_of(ways[EAGER], backend, inputs)
        for kind in backend.graph_kinds:
            graph, figure = attempt(net, backend, kind, probes)
            figures.append(figure)
            if graph is not None:
                ways[kind] = graph
        calls = {name: (lambda way=way: way(*inputs)) for name, way in ways.items()}
        return ways, timed(figures, calls, backend)


def probes_of(call: Callable[..., Any], backend: Backend, inputs: list[Any]) -> list[Probe]:
    """The example, and if the model takes them batches of other sizes, made of its rows."""
    probes = [(inputs, in_numpy(backend, call(*inputs)))]
    sizes = {value.shape[0] if len(value.shape) else 0 for value in inputs}
    if len(sizes) == 1 and (size := sizes.pop()):
        for other in sorted({1, size + 1, 2 * size + 1} - {size}):
            batch = [resized(backend, value, other) for value in inputs]
            try:
                probes.append((batch, in_numpy(backend, call(*batch))))
            except backend.call_errors:
                return probes[:1]  # it takes some sizes only
    return probes


def resized(backend: Backend, tensor: Any, size: int) -> Any:
    """A batch of that many samples, those of `tensor` from the first on, again and again."""
    array, dtype = numbers_of(backend, tensor)
    rows = array[np.arange(size) % len(array)]
    return backend.from_numpy(rows, backend.device_of(tensor), dtype)


def attempt(
    net: Any, backend: Backend, kind: str, probes: list[Probe]
) -> tuple[Graph | None, Figure]:
    """A graph of this kind that gives what eager gives, with an open batch size if that one does.

    None, and the obstacle in the figure, when there is none.
    """
    figure = Figure(kind)
    for dynamic in (True, False) if len(probes) > 1 else (False,):
        try:
            graph = backend.graph(net, kind, dynamic)
            found = [in_numpy(backend, graph(*inputs)) for inputs, _ in probes]
        except Exception as error:  # compilers raise anything, and all of it is shown
            figure = Figure.failed(kind, error)
            continue
        figure = Figure.judged(
            kind,
            [
                row
                for (_, expected), (arrays, dtypes) in zip(probes, found, strict=True)
                for row in rows_of("output", "output", expected[0], arrays, (expected[1], dtypes))
            ],
        )
        if figure.obstacle is None:
            return graph, figure
    return None, figure
