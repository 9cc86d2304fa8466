"""Small networks of MXNet, as a Module saves them in two files: a graph, and numbers."""

import json

import numpy as np

from testbed.params_files import array, params


class Graph:
    """The JSON of a symbol, made node by node."""

    def __init__(self):
        self.nodes = []

    def __call__(self, operator, name, *inputs, notes=None, **options):
        """Append a node; give its place."""
        attributes = {key: str(value) for key, value in {**options, **(notes or {})}.items()}
        given = [[*each, 0] if isinstance(each, tuple) else [each, 0, 0] for each in inputs]
        self.nodes.append({"op": operator, "name": name, "attrs": attributes, "inputs": given})
        return len(self.nodes) - 1

    def given(self, *names):
        """Inputs or arrays."""
        return [self("null", name) for name in names]

    def text(self, *heads):
        return json.dumps(
            {
                "nodes": self.nodes,
                "arg_nodes": [i for i, n in enumerate(self.nodes) if n["op"] == "null"],
                "heads": [[head, 0, 0] for head in heads],
                "attrs": {"mxnet_version": ["int", 10901]},
            }
        )


def small_network(shape=None, operator="relu", width=4, head=None):
    """Convolution, norm of a fixed gamma, ReLU, pooling, dense, and a head with its label.

    Args:
        shape: that the graph notes of its input.
        operator: what the ReLU is called.
        width: channels that the graph notes of the convolution's weight.
        head: the last operator, if there is another one after the dense layer.
    """
    graph = Graph()
    noted = {"__shape__": shape} if shape else None
    data = graph("null", "data", notes=noted)
    weight = graph("null", "conv0_weight", notes={"__shape__": (width, 3, 3, 3)})
    conv = graph("Convolution", "conv0", data, weight, kernel=(3, 3), num_filter=4, no_bias=True)
    norm = graph("BatchNorm", "bn0", conv, *graph.given(*NORM), eps=1e-3, fix_gamma=True)
    relu = graph("Activation", "relu0", norm, act_type=operator)
    pool = graph("Pooling", "pool0", relu, pool_type="max", kernel=(2, 2), stride=(2, 2))
    flat = graph("Flatten", "flatten0", pool)
    dense = graph(
        "FullyConnected", "fc1", flat, *graph.given("fc1_weight", "fc1_bias"), num_hidden=5
    )
    if head is None:
        return graph.text(dense)
    labels = graph.given("softmax_label") if head.endswith("Output") else []
    return graph.text(graph(head, "softmax", dense, *labels))


NORM = ("bn0_gamma", "bn0_beta", "bn0_moving_mean", "bn0_moving_var")
DRAWN = np.random.default_rng(0)
ARRAYS = {
    "conv0_weight": DRAWN.normal(size=(4, 3, 3, 3)),
    "bn0_gamma": DRAWN.normal(size=4),
    "bn0_beta": DRAWN.normal(size=4),
    "bn0_moving_mean": DRAWN.normal(size=4),
    "bn0_moving_var": DRAWN.uniform(1, 2, size=4),
    "fc1_weight": DRAWN.normal(size=(5, 36)),
    "fc1_bias": DRAWN.normal(size=5),
}
ARRAYS = {name: array.astype("float32") for name, array in ARRAYS.items()}


def save(folder, text=None, arrays=ARRAYS, name="small", number="0000"):
    """Write a network; gives the paths of the graph and of the numbers."""
    graph, numbers = folder / f"{name}-symbol.json", folder / f"{name}-{number}.params"
    graph.write_text(small_network() if text is None else text)
    named = [f"{'aux' if 'moving' in key else 'arg'}:{key}" for key in arrays]
    numbers.write_bytes(params(*map(array, arrays.values()), names=named))
    return graph, numbers
