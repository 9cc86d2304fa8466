"""A port is run in float64, and what its layers give is compared with what its judges know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from unified_blocks import ops
from unified_blocks.backend.registry import available_backends
from unified_blocks.errors import BackendImportError, UnsupportedError
from unified_blocks.models.outputs import tensors_in
from unified_blocks.porting.choosing import after_choices
from unified_blocks.porting.decisions import BATCH, only_batch
from unified_blocks.porting.graph import Graph, Value
from unified_blocks.porting.judges import (
    Judge,
    evaluated,
    interpreter,
    loose_in,
    loosened,
    original,
    original_is_here,
    recorded,
    values_in,
)
from unified_blocks.porting.proof import Judged, Proof, ProofRow
from unified_blocks.porting.targets import TARGETS
from unified_blocks.porting.watching import WIDE, Running, assigned, distance, in_order
from unified_blocks.porting.writing.written import Called
from unified_blocks.types import Array, State

Errors = tuple[Judged, ...]


def prove(port: Any, gradients: bool, record: Path | None) -> Proof:
    """Compare a port with the original; see `Port.prove`."""
    batch = only_batch(port.graph)
    name, notes = port.network.name, [BATCH.format(batch)] if batch else []
    judges: list[Judge] = []
    if record is None:
        inputs = port.inputs
    else:
        judge, inputs = recorded(port, record)
        judges.append(judge)
    wide = {
        name: array.astype(np.float64) if array.dtype.kind == "f" else array
        for name, array in inputs.items()
    }
    if record is None and original_is_here():
        try:
            judges.append(original(port, wide))
        except (BackendImportError, UnsupportedError) as error:
            notes.append(f"MXNet is no judge of it: {error}")
    numpy = interpreter(port, wide)
    try:
        running = Running(port)
    except BackendImportError as error:
        notes.append(f"the source was not run: {error}")
        rows = [*_reading(port.graph, numpy, judges)]
        return Proof(f"{name}, as it was read", tuple(rows), _titles(judges), tuple(notes))
    if not judges:
        judges += _others(port, numpy, wide, notes)
    judges.append(numpy)
    rows, given = _run(port, running, wide, judges)
    if not all(row.ok for row in rows) and (found := after_choices(port, wide, judges, rows)):
        resumed, note = found
        again, given = _run(port, running, wide, resumed)
        if all(row.ok for row in again):
            judges, rows = resumed, again
            notes.append(note)
    if gradients:
        rows += _gradients(port, running, wide, given, notes)
    title = f"{name} on {running.backend.title}"
    versions = ((running.backend.title, running.backend.version),)
    return Proof(title, tuple(rows), _titles(judges), tuple(notes), versions)


def _titles(judges: Sequence[Judge]) -> tuple[str, ...]:
    return tuple(judge.title for judge in judges)


def _run(
    port: Any, running: Running, inputs: Mapping[str, Array], judges: Sequence[Judge]
) -> tuple[list[ProofRow], list[Array]]:
    """A row for each layer, block and output, and the outputs as the network gave them."""
    seen: dict[str, list[tuple[int, list[Errors]]]] = {name: [] for name in port.layers}
    numbers = count()

    def see(name: str, calls: Sequence[Called], array: Array) -> None:
        judged = [_judged(judges, each.value, in_order(array, each)) for each in calls]
        seen[name].append((next(numbers), judged))

    given = running.run(inputs, see)
    placed: list[tuple[float, ProofRow]] = []
    operations, makers = _operations(port.graph), port.graph.makers()
    for name, calls in port.layers.items():
        values = [each.value for each in calls]
        maker = next((makers[value] for value in values if value in makers), None)
        operation = operations.get(name) or (type(maker.operation).__name__ if maker else "")
        stands = assigned([[*map(_worst, judged)] for _, judged in seen[name]])
        found = [(at, stands.get(i), judged) for i, (at, judged) in enumerate(seen[name])]
        # What only the graph calls, or only the source, is as wrong as can be.
        missed: list[Any] = [(np.inf, k, []) for k in range(len(calls)) if k not in stands.values()]
        for number, (at, k, judged) in enumerate([*found, *missed], 1):
            value = next(filter(None, values)) if k is None else values[k]
            if value is None:
                continue
            own = judged[k] if judged and k is not None else _judged(judges, value, None)
            title = name if number == 1 else f"{name}, call {number}"
            placed.append((at, ProofRow(title, operation, value.shape, own)))
    rows = [row for _, row in sorted(placed, key=lambda each: each[0])]
    outputs = []
    for i, value in enumerate(port.graph.outputs):
        name = "output" if len(port.graph.outputs) == 1 else f"output {i}"
        own = _judged(judges, value, running.here(value, given[i]))
        outputs.append(ProofRow(name, value.name, value.shape, own, is_output=True))
    return [*rows, *outputs], given


def _worst(judged: Errors) -> float:
    return max((each.share for each in judged), default=float("inf"))


def _judged(judges: Sequence[Judge], value: Value | None, array: Array | None) -> Errors:
    """What each judge that knows a value says of it; `None` is as far from it as can be."""
    found = []
    for judge in judges:
        expected = None if value is None else judge.values.get(value)
        if value is not None and expected is not None:
            error = float("inf")
            if array is not None:
                # A judge may hold for each of the batch what is the same for all.
                once = array.shape == value.shape and all(
                    n in (1, size) for n, size in zip(array.shape, expected.shape, strict=False)
                )
                once = once and array.ndim == expected.ndim
                laid = np.broadcast_to(array, expected.shape) if once else array
                error = distance(laid, expected)
            found.append(Judged(judge.title, error, judge.tolerance(value)))
    return tuple(found)


def _operations(graph: Graph) -> dict[str, str]:
    """What each layer does, and the class of each block, by dotted names."""
    found: dict[str, str] = {}
    for node in graph.nodes:
        for i, kind in enumerate(node.kinds, 1):
            found[".".join(node.path[:i])] = kind or "block"
        found[".".join(node.path)] = type(node.operation).__name__
    return found


def _reading(graph: Graph, numpy: Judge, judges: Sequence[Judge]) -> Iterator[ProofRow]:
    """A row for each node, where the source cannot be run: NumPy instead of it."""
    for value in values_in(graph):
        if judged := _judged(judges, value, numpy.values[value]):
            node = graph.makers()[value]
            yield ProofRow(".".join(node.path), type(node.operation).__name__, value.shape, judged)


def _others(
    port: Any, numpy: Judge, inputs: Mapping[str, Array], notes: list[str]
) -> Iterator[Judge]:
    """The network, ported to each other framework that is installed."""
    here = available_backends()
    for target in TARGETS.values():
        if target is port.target or target.backend not in here:
            continue
        try:
            other = type(port)(port.network, port.graph, port.given, target, {})
            running = Running(other)
        except (BackendImportError, UnsupportedError) as error:
            notes.append(f"{target.title} are no judge of it: {error}")
            continue
        seen: dict[str, list[Array]] = {name: [] for name in other.layers}

        def see(name: str, _: Any, array: Array, seen: Any = seen) -> None:
            seen[name].append(array)

        outputs = running.run(inputs, see)
        known: dict[Value, Array] = {}
        for name, calls in other.layers.items():
            laid = [[in_order(array, each) for each in calls] for array in seen[name]]
            errors = [
                [
                    distance(array, numpy.values[each.value]) if each.value else float("inf")
                    for array, each in zip(row, calls, strict=True)
                ]
                for row in laid
            ]
            for i, k in assigned(errors).items():
                if (value := calls[k].value) is not None:
                    known[value] = laid[i][k]
        for value, array in zip(port.graph.outputs, outputs, strict=True):
            known[value] = running.here(value, array)
        allowed = loose_in(port.graph, port.target, target)
        yield Judge(f"its port to {running.backend.title}", known, allowed, is_original=False)


def _gradients(
    port: Any,
    running: Running,
    inputs: Mapping[str, Array],
    given: Sequence[Array],
    notes: list[str],
) -> Iterator[ProofRow]:
    """A row for the gradient of a random sum of the outputs by each parameter.

    Raises:
        UnsupportedError: without MXNet.
    """
    if not original_is_here():
        raise UnsupportedError(
            "port: gradients must be judged by MXNet; got none that is installed: prove them where "
            "it is, or leave out gradients=True"
        )
    if len(port.graph.inputs) != 1:
        notes.append(
            "gradients are compared of networks of one input only; this one has "
            f"{len(port.graph.inputs)}"
        )
        return
    if any(node.options.get("act_type") == "prelu" for node in port.network.symbol.nodes):
        notes.append(
            "gradients are not compared of networks with PReLU: in a graph MXNet 1.9.1 computes "
            "them from what the layer gave, where it needs what the layer took"
        )
        return
    if any(node.operator == ON_GPU for node in port.network.symbol.nodes):
        notes.append(
            "gradients are not compared of networks with deformable convolutions: MXNet 1.9.1 "
            "computes them on a GPU only"
        )
        return
    generator = np.random.default_rng(1)
    weights = [
        generator.normal(size=value.shape) * (array.dtype.kind == "f")
        for value, array in zip(port.graph.outputs, given, strict=True)
    ]
    expected = evaluated(port, inputs, weights).gradients
    laid = [*map(running.there, port.graph.outputs, weights)]
    found = _of_target(port, running, inputs, given, laid)
    # What is loose on the way is in every gradient.
    allowed = max(loosened(port.network, port.graph, port.target).values())
    left = []
    for parameter in port.graph.parameters():
        if parameter.role != "parameter" or parameter.name not in expected:
            continue
        array, mine = expected[parameter.name], found.get(port.names.get(parameter.name, ""))
        if mine is None or mine.shape != array.shape:
            left.append(parameter.name)
            continue
        error = Judged("MXNet", distance(mine, array), allowed)
        name = port.names[parameter.name]
        yield ProofRow(f"gradient by {name}", parameter.role, array.shape, (error,))
    if left:
        notes.append(
            "no gradients were compared of arrays that are held in another form: "
            + ", ".join(dict.fromkeys(left))
        )


ON_GPU = "_contrib_ModulatedDeformableConvolution"
"""An operator whose gradients MXNet does not compute on a CPU."""
CANONICAL = {
    **dict.fromkeys(("kernel", "gamma", "embeddings", "alpha"), "weight"),
    "beta": "bias",
}
"""What this library calls arrays that a framework has other names for."""


def _of_target(
    port: Any,
    running: Running,
    inputs: Mapping[str, Array],
    given: Sequence[Array],
    weights: Sequence[Array],
) -> State:
    """The gradients of the ported network, by the names in its state."""
    backend = running.backend
    tensors_of_weights = [backend.from_numpy(np.ascontiguousarray(each)) for each in weights]

    def loss(output: Any) -> Any:
        tensors = [tensor for _, tensor in tensors_in(backend, output)]
        total: Any = 0.0
        for tensor, weight, array in zip(tensors, tensors_of_weights, given, strict=True):
            if array.dtype.kind == "f":
                total = total + ops.sum(tensor * weight)
        return total

    (x,) = running.tensors(inputs)
    with backend.native_dtype(WIDE):
        _, gradients = backend.value_and_grad(running.net, x, None, loss, True, False, False)
    named = {}
    for name in port.state:
        layer, dot, last = name.rpartition(".")
        known = layer + dot + CANONICAL.get(last, last)
        if (gradient := gradients.get(name, gradients.get(known))) is not None:
            named[name] = gradient
    return named
