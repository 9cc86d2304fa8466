"""The ways to run a model: as it is, and as each kind of graph that gives the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from unified_blocks.backend import EAGER, Backend, Graph
from unified_blocks.backend.tensors import numbers_of
from unified_blocks.compiling.figures import Figure, timed
from unified_blocks.models.outputs import Leaf, output_of, paired, shown, tensor_leaves
from unified_blocks.reference.rows import Row, compared

Probe = tuple[list[Any], list[Leaf]]
"""Inputs, and the tensors that an eager call with them gives."""


def measured(
    net: Any, backend: Backend, inputs: list[Any]
) -> tuple[dict[str, Callable[..., Any]], list[Figure]]:
    """The functions that run `net` rightly, by name, and what was found about each kind."""
    ways: dict[str, Callable[..., Any]] = {EAGER: backend.caller(net)}
    figures = [Figure(EAGER)]
    with backend.inferring(net):
        probes = probes_of(net, ways[EAGER], backend, inputs)
        for kind in backend.graph_kinds:
            graph, figure = attempt(net, backend, kind, probes)
            figures.append(figure)
            if graph is not None:
                ways[kind] = graph
        calls = {name: (lambda way=way: way(*inputs)) for name, way in ways.items()}
        return ways, timed(figures, calls, backend)


def probes_of(
    net: Any, call: Callable[..., Any], backend: Backend, inputs: list[Any]
) -> list[Probe]:
    """The example, and if the model takes them batches of other sizes, made of its rows.

    Raises:
        UnsupportedError: when the model gives no tensor: any graph would give the same.
    """
    output = call(*inputs)
    output_of(backend, output, net)
    probes = [(inputs, tensor_leaves(backend, output))]
    sizes = {value.shape[0] if len(value.shape) else 0 for value in inputs}
    if len(sizes) == 1 and (size := sizes.pop()):
        for other in sorted({1, size + 1, 2 * size + 1} - {size}):
            batch = [resized(backend, value, other) for value in inputs]
            try:
                probes.append((batch, tensor_leaves(backend, call(*batch))))
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
            found = [tensor_leaves(backend, graph(*inputs)) for inputs, _ in probes]
        except Exception as error:  # compilers raise anything, and all of it is shown
            figure = Figure.failed(kind, error)
            continue
        figure = Figure.judged(
            kind,
            [
                row
                for (_, expected), outputs in zip(probes, found, strict=True)
                for row in rows(expected, outputs)
            ],
        )
        if figure.obstacle is None:
            return graph, figure
    return None, figure


def rows(a: list[Leaf], b: list[Leaf]) -> Iterator[Row]:
    """The outputs of one call and of another, by what they are called."""
    for i, j in paired([leaf.place for leaf in a], [leaf.place for leaf in b]):
        x, y = (None if i is None else a[i]), (None if j is None else b[j])
        arrays = (None if x is None else x.array, None if y is None else y.array)
        dtypes = (None if x is None else x.dtype, None if y is None else y.dtype)
        place = next(leaf.place for leaf in (x, y) if leaf is not None)
        yield compared(f"output{shown(place)}", "output", *arrays, dtypes=dtypes)
