"""The proof of a port compares each call of a layer, with its axes as they are said to lie."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.exported import Graph, save
from testbed.ports import TARGETS, target
from unified_blocks.porting import proving
from unified_blocks.porting.watching import assigned


@pytest.fixture(autouse=True)
def alone(monkeypatch, backend_name):
    """No judge but NumPy."""
    if backend_name not in TARGETS:
        pytest.skip("what is spoiled is source of PyTorch or Keras")
    monkeypatch.setattr(proving, "original_is_here", lambda: False)
    monkeypatch.setattr(proving, "available_backends", list)


def drawn(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def called_twice(folder, backend_name):
    """A port of a network whose layer is called twice, one after the other."""
    graph = Graph()
    x, weight = graph.given("x", "cell_weight")
    options = {"num_hidden": 3, "no_bias": True}
    once = graph("FullyConnected", "cell", x, weight, **options)
    half = graph("_mul_scalar", "half", once, scalar=0.5)
    again = graph("FullyConnected", "cell_again", half, weight, **options)
    path, _ = save(folder, graph.text(once, again), {"cell_weight": drawn(3, 3)})
    return ub.port(path, target(backend_name), example=(2, 3))


def turned_and_pooled(folder, backend_name):
    """A port of a network of square images, whose output is the same if they are turned."""
    graph = Graph()
    x, weight = graph.given("x", "conv_weight")
    options = {"num_filter": 4, "kernel": (1, 1), "no_bias": True}
    conv = graph("Convolution", "conv", x, weight, **options)
    pooled = graph("Pooling", "pool", conv, global_pool=True, pool_type="avg", kernel=(1, 1))
    path, _ = save(folder, graph.text(pooled), {"conv_weight": drawn(4, 4, 1, 1)})
    return ub.port(path, target(backend_name), example=(4, 4, 4, 4))


def changed(port, **replacements):
    """`port`, with a piece of its source replaced, by target."""
    before, after = replacements[port.target.name]
    assert port.source.count(before) == 1, port.source
    source = port.source.replace(before, after)
    port.source = source.replace("import layers\n", "import layers, ops\n")
    return port


def are_ok(port):
    return [row.ok for row in port.proof.rows]


def test_each_call_of_a_layer_is_a_row(tmp_path, backend_name):
    proof = called_twice(tmp_path, backend_name).proof
    assert proof.ok
    names = ["cell", "cell, call 2", "output 0", "output 1"]
    assert [row.layer for row in proof.rows] == names


SECOND = {
    "other numbers": {"torch": ("0.5", "0.75"), "tensorflow": ("0.5", "0.75")},
    "the first again": {
        "torch": ("x = self.cell(x)\n        return x, self.cell(x * 0.5)",
                  "return self.cell(x), self.cell(x)"),
        "tensorflow": ("cell(x * 0.5)", "cell(inputs)"),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SECOND)
def test_a_wrong_second_call_is_seen(name, tmp_path, backend_name):
    port = changed(called_twice(tmp_path, backend_name), **SECOND[name])
    assert are_ok(port) == [True, False, True, False]
    assert port.proof.first_wrong.layer == "cell, call 2"


def test_a_wrong_first_call_is_seen(tmp_path, backend_name):
    port = changed(
        called_twice(tmp_path, backend_name),
        torch=("return x, self.cell(x * 0.5)", "return self.cell(x) * 0 + x, self.cell(x * 0.5)"),
        tensorflow=("[x, y]", "[cell(x) * 0 + x, y]"),
    )
    rows = {row.layer: row.ok for row in port.proof.rows}
    assert rows.pop("output 0")
    assert rows.pop("output 1")
    assert sorted(rows.values()) == [False, True, True]


def test_a_call_that_is_not_made_is_seen(tmp_path, backend_name):
    port = changed(
        called_twice(tmp_path, backend_name),
        torch=("self.cell(x * 0.5)", "(x * 0.5) @ self.cell.weight.mT"),
        tensorflow=("cell(x * 0.5)", "(x * 0.5) @ ops.convert_to_tensor(cell.kernel)"),
    )
    rows = {row.layer: row for row in port.proof.rows}
    assert not rows["cell, call 2"].ok
    assert rows["cell, call 2"].error == np.inf


def test_a_layer_that_gives_a_square_turned_is_wrong(tmp_path, backend_name):
    assert all(are_ok(turned_and_pooled(tmp_path, backend_name)))
    port = changed(
        turned_and_pooled(tmp_path, backend_name),
        torch=("self.conv(x)", "self.conv(x.mT)"),
        tensorflow=("(inputs)", "(ops.transpose(inputs, (0, 2, 1, 3)))"),
    )
    assert port.proof.first_wrong.layer == "conv"
    assert port.proof.rows[-1].ok


def test_an_output_that_is_a_square_turned_is_wrong(tmp_path, backend_name):
    graph = Graph()
    (x,) = graph.given("x")
    path, _ = save(tmp_path, graph.text(graph("Activation", "act", x, act_type="tanh")), {})
    port, other = (ub.port(path, target(backend_name), example=(4, 4, 4, 4)) for _ in range(2))
    assert all(are_ok(port))
    changed(
        other,
        torch=("torch.tanh(x)", "torch.tanh(x).mT"),
        tensorflow=("(inputs, x,", "(inputs, ops.transpose(x, (0, 2, 1, 3)),"),
    )
    assert not other.proof.rows[-1].ok


def test_a_layer_whose_output_is_cropped_stands_for_no_value(tmp_path, backend_name):
    graph = Graph()
    x, weight = graph.given("x", "up_weight")
    options = {"num_filter": 4, "kernel": (4, 4), "stride": (2, 2), "pad": (1, 1)}
    up = graph("Deconvolution", "up", x, weight, no_bias=True, **options)
    text = graph.text(graph("Activation", "act", up, act_type="relu"))
    path, _ = save(tmp_path, text, {"up_weight": drawn(4, 4, 4, 4)})
    port = ub.port(path, target(backend_name), example=(2, 4, 5, 5))
    assert port.proof.ok
    assert ("up" in port.layers) == (backend_name == "torch")


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([[0.0, 1.0], [1.0, 0.0]], {0: 0, 1: 1}),
        ([[1.0, 0.0], [0.0, 1.0]], {0: 1, 1: 0}),
        ([[0.0, 2.0], [0.0, 1.0]], {0: 0, 1: 1}),
        ([[0.0], [0.0]], {0: 0}),
        ([[0.0, 1.0]], {0: 0}),
        ([[np.inf, np.inf], [0.0, np.inf]], {1: 0, 0: 1}),
        ([], {}),
    ],
)
def test_a_call_stands_for_one_value(errors, expected):
    assert assigned(errors) == expected
