"""A symbol of MXNet is read into typed nodes: every version of its JSON, every option used up."""

import json

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.mxnet.reader import Source, inputs_of, read_graph
from unified_blocks.porting.mxnet.symbols import symbol_of
from unified_blocks.porting.operations.norms import BatchNorm

IMAGE = {"data": ((2, 3, 6, 6), "float32")}


def node(operator, name, *inputs, key="attrs", width=3, **options):
    """A node as it stands in a file."""
    given = [
        [*each, 0][:width] if isinstance(each, tuple) else [each, 0, 0][:width] for each in inputs
    ]
    return {"op": operator, "name": name, key: options, "inputs": given}


def written(*nodes, heads=None, **more):
    """The JSON of a symbol."""
    return json.dumps({"nodes": nodes, "heads": heads or [[len(nodes) - 1, 0, 0]], **more})


def convolution(key="attrs", width=3, **options):
    """A convolution, a norm and a softmax with its label."""
    norm = {"eps": "2e-05", "fix_gamma": "True", "momentum": "0.9", **options}
    null = [node("null", n, key=key) for n in ("data", "w", "b", "g", "bt", "mean", "var", "label")]
    return written(
        *null,
        node("Convolution", "conv", 0, 1, 2, key=key, width=width, kernel="(3, 3)", num_filter="4",
             no_bias="False", pad="(1, 1)", workspace="1024"),
        node("BatchNorm", "norm", 8, 3, 4, 5, 6, key=key, width=width, **norm),
        node("Flatten", "flat", 9, key=key, width=width),
    )  # fmt: skip


ARRAYS = {
    "w": normal(4, 3, 3, 3, seed=1).astype("float64"),
    "b": normal(4, seed=2).astype("float64"),
    "g": np.full(4, 7.0),
    "bt": normal(4, seed=3).astype("float64"),
    "mean": normal(4, seed=4).astype("float64"),
    "var": abs(normal(4, seed=5)).astype("float64") + 1,
}


def read(text, inputs=IMAGE, arrays=ARRAYS, outputs=None):
    return read_graph(Source("net", symbol_of(text), arrays), inputs, outputs)


@pytest.mark.parametrize(("key", "width"), [("param", 2), ("attr", 3), ("attrs", 3)])
def test_every_version_of_the_json_is_the_same_network(key, width):
    graph = read(convolution(key, width))
    assert [type(each.operation).__name__ for each in graph.nodes] == [
        "Convolution", "BatchNorm", "Reshape",
    ]  # fmt: skip
    assert graph.outputs[0].shape == (2, 144)
    norm = graph.nodes[1].operation
    assert isinstance(norm, BatchNorm)
    assert (norm.epsilon, norm.momentum) == (2e-5, 0.9)


def test_before_0_9_the_statistics_of_a_norm_follow_from_its_name():
    content = json.loads(convolution("param", 2))
    norm = content["nodes"][9]
    norm["inputs"] = norm["inputs"][:3]
    renamed = {"mean": "norm_moving_mean", "var": "norm_moving_var"}
    arrays = {renamed.get(name, name): array for name, array in ARRAYS.items()}
    assert read(json.dumps(content), arrays=arrays).nodes[1].inputs[3].name == "norm_moving_mean"
    image = {"data": normal(2, 3, 6, 6)}
    graphs = read(json.dumps(content), arrays=arrays), read(convolution())
    found, expected = (values_of(each, image)[each.outputs[0]] for each in graphs)
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(ub.StateMismatchError, match="'norm_moving_mean' is missing"):
        read(json.dumps(content))


def test_a_fixed_gamma_is_one_whatever_the_file_holds():
    graph = read(convolution())
    gamma = graph.nodes[1].inputs[1]
    assert (gamma.role, gamma.data.tolist()) == ("frozen", [1.0] * 4)
    free = read(convolution(fix_gamma="False")).nodes[1].inputs[1]
    assert (free.role, free.data.tolist()) == ("parameter", [7.0] * 4)


def test_what_it_computes():
    graph = read(convolution())
    x = normal(2, 3, 6, 6, seed=9).astype("float64")
    found = values_of(graph, {"data": x})[graph.outputs[0]]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = np.zeros((2, 4, 6, 6))
    for i in range(6):
        for j in range(6):
            y[:, :, i, j] = np.tensordot(
                padded[:, :, i : i + 3, j : j + 3], ARRAYS["w"], ((1, 2, 3), (1, 2, 3))
            )
    vectors = [ARRAYS[name][:, None, None] for name in ("b", "mean", "var", "bt")]
    expected = (y + vectors[0] - vectors[1]) / np.sqrt(vectors[2] + 2e-5) + vectors[3]
    np.testing.assert_allclose(found, expected.reshape(2, -1), rtol=1e-12)


def test_what_grows_with_the_batch_is_known():
    graph = read(convolution())
    assert [value.growth for value in (graph.inputs[0], graph.outputs[0])] == [
        (1, 0, 0, 0), (1, 0),
    ]  # fmt: skip


def test_every_node_that_cannot_be_read_is_named_at_once():
    text = written(
        node("null", "data"),
        node("Invented", "one", 0),
        node("Activation", "two", 1, act_type="relu"),
        node("Activation", "three", 0, act_type="invented"),
        node("Activation", "four", 0, act_type="relu", invented="1"),
        node("Concat", "all", 2, 3, 4, num_args="3"),
    )
    with pytest.raises(ub.UnsupportedError) as caught:
        read(text)
    said = str(caught.value)
    assert "one: operator Invented" in said
    assert "three (Activation): act_type=invented" in said
    assert "four (Activation): invented=1" in said
    assert "two (" not in said
    assert "outputs=" in said


def test_what_cannot_be_read_can_be_cut_off():
    text = written(
        node("null", "data"),
        node("Activation", "body", 0, act_type="relu"),
        node("Invented", "head", 1),
    )
    for name in ("body", "body_output"):
        graph = read(text, outputs=[name])
        assert [each.name for each in graph.nodes] == ["body"]
    with pytest.raises(ub.InputError, match="must be the name of a node; got 'neck'"):
        read(text, outputs=["neck"])


def test_an_array_or_an_input_that_is_missing_is_named():
    text = convolution()
    without = {name: array for name, array in ARRAYS.items() if name != "g"}
    with pytest.raises(ub.StateMismatchError, match="'g' is missing"):
        read(text, arrays=without)
    with pytest.raises(ub.InputError, match="'data' has none"):
        read(text, inputs={})
    with pytest.raises(ub.InputError, match=r"conv \(Convolution\): its inputs must fit"):
        read(text, inputs={"data": ((1, 5, 6, 6), "float32")})


def test_a_label_is_no_input():
    text = written(
        node("null", "data"), node("null", "label"), node("SoftmaxOutput", "softmax", 0, 1)
    )
    assert [each.name for each in inputs_of(Source("net", symbol_of(text), {}))] == ["data"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"nodes": [1], "heads": []}',
    written(node("Flatten", "a", 1), node("null", "b"))])  # fmt: skip
def test_what_is_no_symbol_is_refused(text):
    with pytest.raises(ub.FileFormatError, match="must be a symbol that MXNet wrote"):
        symbol_of(text)
