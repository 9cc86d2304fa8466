"""Graphs made by hand, and what is written of them, run."""

from __future__ import annotations

import subprocess
import sys
import types
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from unified_blocks.porting.graph import Builder, Graph, Parameter, Value, parameter
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.operations.convolutions import Convolution, Linear
from unified_blocks.porting.operations.elementwise import Elementwise
from unified_blocks.porting.operations.norms import BatchNorm
from unified_blocks.porting.operations.shapes import Concat, Reshape

BATCH = 2


class Network:
    """A graph under construction: each method appends a layer at a dotted path.

    Args:
        name: of the network.
        kinds: the class of each block, by dotted path.
    """

    def __init__(self, name: str = "Net", **kinds: str) -> None:
        self.builder = Builder(name, "a test")
        self.kinds = {path.replace("__", "."): kind for path, kind in kinds.items()}
        self.random = np.random.default_rng(0)

    @property
    def graph(self) -> Graph:
        return self.builder.graph

    def input(self, *shape: int, name: str = "data", dtype: str = "float32") -> Value:
        """An input whose first axis is the batch."""
        value = self.builder.input(name, (BATCH, *shape), dtype)
        value.growth = (1, *[0] * len(shape))
        return value

    def numbers(self, path: str, *shape: int, role: str = "parameter") -> Parameter:
        """Numbers that nobody else has."""
        data = self.random.uniform(0.5, 1.5, shape) / max(np.prod(shape[1:]), 1)
        return parameter(path, data.astype("float32"), role, path.split("."))

    def add(self, path: str, operation: Any, *inputs: Value) -> Value:
        """Any node."""
        names = tuple(path.split("."))
        around = [".".join(names[: i + 1]) for i in range(len(names) - 1)]
        kinds = tuple(self.kinds.get(each, "") for each in around)
        number = len(self.graph.nodes)
        (output,) = self.builder.add(
            operation, *inputs, name=f"{path}_{number}", path=names, kinds=kinds
        )
        growth = [0] * output.rank
        if output.rank and any(each.grows(0) for each in inputs if each.rank):
            growth[0] = output.shape[0] // BATCH
        output.growth = tuple(growth)
        return output

    def conv(
        self,
        path: str,
        x: Value,
        channels: int,
        size: int = 3,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> Value:
        pad = ((size // 2, size // 2),) * 2
        operation = Convolution((stride, stride), pad, (1, 1), groups)
        weight = self.numbers(f"{path}.weight", channels, x.shape[1] // groups, size, size)
        biases = [self.numbers(f"{path}.bias", channels)] if bias else []
        return self.add(path, operation, x, weight, *biases)

    def norm(self, path: str, x: Value, frozen: bool = False, fixed: bool = False) -> Value:
        c = x.shape[1]
        gamma = self.numbers(f"{path}.gamma", c, role="frozen" if fixed else "parameter")
        beta = self.numbers(f"{path}.beta", c)
        counted = [
            self.numbers(f"{path}.{name}", c, role="statistic")
            for name in ("running_mean", "running_var")
        ]
        return self.add(path, BatchNorm(1e-5, 0.5, 1, frozen), x, gamma, beta, *counted)

    def linear(self, path: str, x: Value, units: int, weight: Parameter | None = None) -> Value:
        weight = weight or self.numbers(f"{path}.weight", units, x.shape[-1])
        return self.add(path, Linear(), x, weight, self.numbers(f"{path}.bias", units))

    def apply(self, path: str, function: str, *inputs: Value) -> Value:
        return self.add(path, Elementwise(function), *inputs)

    def flat(self, path: str, x: Value) -> Value:
        return self.add(path, Reshape((BATCH, int(np.prod(x.shape[1:])))), x)

    def concat(self, path: str, *inputs: Value) -> Value:
        return self.add(path, Concat(1), *inputs)

    def done(self, *outputs: Value) -> Graph:
        """The graph, with its outputs."""
        self.graph.outputs.extend(outputs)
        return self.graph


def doubled(graph: Graph) -> Graph:
    """The graph with all its floating numbers in float64."""
    for each in graph.parameters():
        if each.data.dtype.kind == "f":
            each.data, each.dtype = each.data.astype("float64"), "float64"
    return graph


def example(graph: Graph, batch: int = BATCH) -> dict[str, Any]:
    """Numbers for each input of a graph."""
    random = np.random.default_rng(1)
    return {
        value.name: random.normal(size=(batch, *value.shape[1:])).astype("float64")
        for value in graph.inputs
    }


def expected(graph: Graph, inputs: dict[str, Any]) -> list[Any]:
    """What a graph gives, by NumPy."""
    values = values_of(graph, inputs)
    return [values[output] for output in graph.outputs]


def module_of(written: Any, folder: Any) -> Any:
    """The module of what was written, and its net with the numbers of its file."""
    save_file(
        {name: np.ascontiguousarray(array) for name, array in written.state.items()},
        folder / "net.safetensors",
    )
    (folder / "net.py").write_text(written.source)
    module = types.ModuleType("ported_net")
    sys.modules["ported_net"] = module
    exec(compile(written.source, str(folder / "net.py"), "exec"), module.__dict__)
    return module


def complaints(source: str) -> str:
    """What a formatter and a linter say to source."""
    rules = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E4,E7,E9,F,I", "-q"]
    layout = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "-q"]
    return "".join(
        subprocess.run(
            [*command, "--stdin-filename", "net.py", "-"],
            input=source,
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        for command in (rules, layout)
    )
