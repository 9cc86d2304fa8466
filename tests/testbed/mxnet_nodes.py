"""Graphs of MXNet of one operator, as they stand in a file."""

import json
from dataclasses import dataclass, field

import numpy as np

from testbed.common import normal
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.mxnet.reader import Source, read_graph
from unified_blocks.porting.mxnet.symbols import symbol_of
from unified_blocks.porting.mxnet.tolerances import FLOAT32_ONLY


@dataclass(frozen=True)
class Array:
    """Numbers that belong to the network."""

    shape: tuple
    start: float = -1.0


@dataclass(frozen=True)
class Between:
    """An input of numbers between two."""

    low: float
    high: float
    shape: tuple


@dataclass(frozen=True)
class Case:
    """An operator, its options and what it takes."""

    operator: str
    inputs: tuple
    options: dict = field(default_factory=dict)
    outputs: int = 1

    def __str__(self):
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.operator}({options})".replace(" ", "")

    @property
    def names(self):
        return [f"{'array' if isinstance(x, Array) else 'x'}{i}" for i, x in enumerate(self.inputs)]

    def text(self, **more):
        """The JSON of a symbol; `more` options than those of the case."""
        nodes = [{"op": "null", "name": name, "inputs": []} for name in self.names]
        count = len(nodes)
        options = {key: str(value) for key, value in {**self.options, **more}.items()}
        inputs = [[i, 0, 0] for i in range(count)]
        nodes.append({"op": self.operator, "name": "node", "attrs": options, "inputs": inputs})
        heads = [[count, i, 0] for i in range(self.outputs)]
        return json.dumps(
            {"nodes": nodes, "arg_nodes": list(range(count)), "heads": heads,
             "attrs": {"mxnet_version": ["int", 10901]}}
        )  # fmt: skip

    def numbers(self):
        """The arrays of the network, and its inputs."""
        dtype = "float32" if self.operator in FLOAT32_ONLY else "float64"
        arrays, inputs = {}, {}
        for i, (name, x) in enumerate(zip(self.names, self.inputs, strict=True)):
            rng = np.random.default_rng(i)
            if isinstance(x, Array):
                arrays[name] = rng.uniform(x.start, 1.0, x.shape).astype(dtype)
            elif isinstance(x, Between):
                inputs[name] = rng.uniform(x.low, x.high, x.shape).astype(dtype)
            elif isinstance(x, tuple):
                inputs[name] = normal(*x, seed=i).astype(dtype)
            else:
                inputs[name] = x.astype(dtype) if x.dtype.kind == "f" else x
        return arrays, inputs

    def graph(self, **more):
        """The graph that is read, for its inputs."""
        arrays, inputs = self.numbers()
        given = {name: (x.shape, x.dtype.name) for name, x in inputs.items()}
        return read_graph(Source("case", symbol_of(self.text(**more)), arrays), given)

    def by_numpy(self):
        graph = self.graph()
        values = values_of(graph, self.numbers()[1])
        for value in graph.outputs:
            assert values[value].shape == value.shape
        return [values[value] for value in graph.outputs]

    def by_mxnet(self):
        from unified_blocks_mxnet.compat import mx

        symbol = mx.sym.load_json(self.text())
        arrays, inputs = self.numbers()
        given = {name: mx.nd.array(x, dtype=x.dtype) for name, x in {**arrays, **inputs}.items()}
        state = set(symbol.list_auxiliary_states())
        run = symbol.bind(
            mx.cpu(),
            {name: x for name, x in given.items() if name not in state},
            aux_states={name: x for name, x in given.items() if name in state},
            grad_req="null",
        )
        return [each.asnumpy() for each in run.forward(is_train=False)]


def one(operator, *inputs, outputs=1, **options):
    """A case, written shortly."""
    return Case(operator, inputs, options, outputs)
