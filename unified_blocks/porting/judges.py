"""What a port is compared with: MXNet, a record of it, NumPy, and the other target."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unified_blocks.backend.registry import available_backends, get_backend
from unified_blocks.errors import FileFormatError, InputError
from unified_blocks.files.state_files import read_state, write_state
from unified_blocks.porting.graph import Graph, Node, Value
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.mxnet.reader import LABELLED, Source
from unified_blocks.porting.mxnet.symbols import explicit
from unified_blocks.porting.mxnet.tolerances import DEFAULT, FLOAT32_ONLY, tolerance_of
from unified_blocks.porting.targets import Target
from unified_blocks.types import Array

NARROW = 1e-4
"""What is allowed of a value, relative to its largest number, from a judge in float32."""
ORIGINAL = "mxnet"
INPUT, VALUE = "input/", "value/"


@dataclass(frozen=True)
class Judge:
    """Something that knows what a network computes.

    Attributes:
        title: in words.
        values: what it knows; `of` and `outputs` ask it.
        allowed: how far each value may be from it, where that is not the default.
        is_original: whether it is no port itself.
    """

    title: str
    values: Mapping[Value, Array]
    allowed: Mapping[Value, float]
    is_original: bool = True

    def tolerance(self, value: Value) -> float:
        return self.allowed.get(value, DEFAULT)


def interpreter(port: Any, inputs: Mapping[str, Array]) -> Judge:
    """NumPy, which knows every value."""
    with np.errstate(all="ignore"):  # what overflows there overflows here
        values = values_of(port.graph, inputs)
    return Judge("NumPy", values, loose_in(port.graph, port.target))


def original_is_here() -> bool:
    """Whether the framework is installed that the network is of."""
    return ORIGINAL in available_backends()


def evaluated(
    port: Any, inputs: Mapping[str, Array], weights: Sequence[Array] | None = None
) -> Any:
    """What the framework of the network computes of it; see `Backend.evaluate`."""
    network, graph = port.network, port.graph
    text = cut(network, graph, losses=weights is None)
    given = {**labels_of(network, graph), **inputs}
    dtype = dtype_of(network)
    return get_backend(ORIGINAL).evaluate(text, network.arrays, given, dtype, weights)


def dtype_of(network: Source) -> str:
    """The widest dtype that MXNet can compute a network in."""
    narrow = any(node.operator in FLOAT32_ONLY for node in network.symbol.nodes)
    return "float32" if narrow else "float64"


def cut(network: Source, graph: Graph, losses: bool = True) -> str:
    """The JSON of a network whose outputs are those of a graph.

    Args:
        losses: whether heads stay that have a gradient of their own, that of their loss.
    """
    content = explicit(json.loads(network.text))
    places = {node.name: i for i, node in enumerate(network.symbol.nodes)}
    heads = [value.origin for value in graph.outputs if value.origin]
    if len(heads) == len(graph.outputs):
        content["heads"] = [[places[name], index, 0] for name, index in heads]
    for node, read in zip(content["nodes"], network.symbol.nodes, strict=True):
        if read.operator in PLUGINS or (not losses and read.operator in GIVEN):
            many = read.options.get("multi_output", "False").lower() in ("true", "1")
            options = {"axis": "1" if many else "-1"} if GIVEN[read.operator] == "softmax" else {}
            for key in ("param", "attr", "attrs"):
                node.pop(key, None)
            node |= {"op": GIVEN[read.operator], "attrs": options, "inputs": node["inputs"][:1]}
    return json.dumps(content)


GIVEN = {
    **dict.fromkeys(("SoftmaxOutput", "Softmax", "WarpCTC"), "softmax"),
    **dict.fromkeys(("LinearRegressionOutput", "MAERegressionOutput", "SVMOutput"), "_copy"),
    **dict.fromkeys(("MakeLoss", "make_loss"), "_copy"),
    "LogisticRegressionOutput": "sigmoid",
}
"""The operator that gives what a loss gives when it is used, with the gradient of that."""
PLUGINS = ("WarpCTC",)
"""Losses that are in no build of MXNet that is to be had."""


def labels_of(network: Source, graph: Graph) -> dict[str, Array]:
    """Zeros for each label: its head gives the same whatever it is."""
    shapes = {value.origin[0]: value.shape for value in values_in(graph) if value.origin}
    nodes, found = network.symbol.nodes, {}
    for node in nodes:
        if node.operator not in LABELLED or node.name not in shapes or len(node.inputs) < 2:
            continue
        shape = shapes[node.name]
        if "multi_output" in node.options and node.options["multi_output"] in ("True", "true", "1"):
            shape = (shape[0], math.prod(shape[2:]))
        elif not node.operator.endswith("RegressionOutput"):
            shape = shape[:-1]
        found[nodes[node.inputs[1][0]].name] = np.zeros(shape)
    return found


def original(port: Any, inputs: Mapping[str, Array]) -> Judge:
    """The framework of the network, which knows what each of its nodes gives."""
    backend = get_backend(ORIGINAL)
    values = evaluated(port, inputs).values
    return _by_names(port, title_of(port, backend), values)


def title_of(port: Any, backend: Any) -> str:
    dtype = dtype_of(port.network)
    return f"{backend.title} {backend.version}" + (f" in {dtype}" if dtype != "float64" else "")


def _by_names(port: Any, title: str, named: Mapping[str, Array]) -> Judge:
    """A judge of what nodes give by their names, or by `name.0`, `name.1`, …"""
    counts = Counter(node.name for node in port.network.symbol.nodes)
    known = {}
    for value in values_in(port.graph):
        if value.origin is None or counts[value.origin[0]] > 1:
            continue
        name, index = value.origin
        found = named.get(f"{name}.{index}", named.get(name) if index == 0 else None)
        if found is not None:
            known[value] = np.asarray(found)
    return Judge(title, known, loosened(port.network, port.graph, port.target))


def values_in(graph: Graph) -> list[Value]:
    """All that the nodes of a graph give."""
    return [value for node in graph.nodes for value in node.outputs]


def loosened(network: Source, graph: Graph, target: Target | None = None) -> dict[Value, float]:
    """How far each value may be from what the framework of a network computes.

    Some operators compute in float32 whatever they are given; what comes after them inherits it.

    Args:
        target: where the network was ported to, which has such operations of its own.
    """
    tolerances = {
        node.name: tolerance_of(node.operator, node.options) for node in network.symbol.nodes
    }
    least = NARROW if dtype_of(network) == "float32" else DEFAULT

    def own(node: Node, value: Value) -> float:
        # A node of ours may stand for several of theirs: one that computes, and one that turns.
        names = {node.name, value.origin[0] if value.origin else node.name}
        theirs = (tolerances.get(each, DEFAULT) for each in names)
        return max(*theirs, _of_target(target, node))

    return _inherited(graph, own, least)


def loose_in(graph: Graph, *targets: Target) -> dict[Value, float]:
    """How far each value may be from exact numbers, in nets of these targets."""
    return _inherited(graph, lambda node, _: max(_of_target(each, node) for each in targets))


def _of_target(target: Target | None, node: Node) -> float:
    loose = {} if target is None else target.loose
    kind = type(node.operation).__name__
    return loose.get(getattr(node.operation, "function", kind), loose.get(kind, DEFAULT))


def _inherited(
    graph: Graph, own: Callable[[Node, Value], float], least: float = DEFAULT
) -> dict[Value, float]:
    """What is allowed of each value: the sum of what is loose on the way to it."""
    loose: dict[Value, float] = {}
    for node in graph.nodes:
        before = max((loose.get(value, 0.0) for value in node.taken), default=0.0)
        for value in node.outputs:
            more = own(node, value)
            loose[value] = before + (more if more > DEFAULT else 0.0)
    return {value: max(least, allowed) for value, allowed in loose.items()}


def write_record(port: Any, path: Path) -> None:
    """Write what the framework of the network computes; see `Port.record`."""
    inputs = port.inputs
    backend = get_backend(ORIGINAL)
    values = evaluated(port, inputs).values
    state = {
        **{f"{INPUT}{name}": array for name, array in inputs.items()},
        **{f"{VALUE}{name}": array for name, array in values.items()},
    }
    about = {"network": port.network.name, "judge": title_of(port, backend)}
    write_state(state, path, metadata={"record": about})


def recorded(port: Any, path: Path) -> tuple[Judge, dict[str, Array]]:
    """The judge in a file that `write_record` wrote, and the inputs that it judged.

    Raises:
        FileFormatError: for another file.
        InputError: for a record of other inputs.
    """
    file = read_state(path)
    about = file.own.get("record")
    if not isinstance(about, Mapping):
        raise FileFormatError(
            f"{path}: a judge must be a record that `unified-blocks port --record` wrote where "
            f"MXNet is; got a file of the format {file.format} without one: write it anew"
        )
    inputs = {name.removeprefix(INPUT): file[name] for name in file if name.startswith(INPUT)}
    wanted = {value.name: value.shape for value in port.graph.inputs}
    if {name: array.shape for name, array in inputs.items()} != wanted:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in inputs.items())
        raise InputError(
            f"{path}: a judge must have recorded the inputs "
            f"{', '.join(f'{name} {shape}' for name, shape in wanted.items())}; got {shapes} of "
            f"{about.get('network')}: port for these, or record anew"
        )
    values = {name.removeprefix(VALUE): file[name] for name in file if name.startswith(VALUE)}
    return _by_names(port, f"a record of {about.get('judge')}", values), inputs
