"""A graph written for Keras is trained, saved, exported and loaded as any model of Keras'."""

import re

import numpy as np
import pytest

import unified_blocks as ub
from testbed.keras_sources import (
    CONVOLUTIONS,
    convolution_of,
    drawn,
    graph_of,
    is_as_numpy,
    module_of,
    there,
    weight,
    wide,
    written,
)
from unified_blocks.files.state_files import write_state
from unified_blocks.porting.graph import parameter
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.operations.convolutions import Linear
from unified_blocks.porting.operations.elementwise import Elementwise
from unified_blocks.porting.operations.norms import BatchNorm
from unified_blocks.porting.operations.pooling import GlobalPool
from unified_blocks.porting.operations.shapes import Reshape

if "tensorflow" not in ub.available_backends():
    pytest.skip("TensorFlow is not installed", allow_module_level=True)


@pytest.fixture(autouse=True)
def of_tensorflow(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("what is written is a model of Keras'")


def small(frozen=(), fixed=True, always=False):
    """A network with a norm whose gamma is fixed and one whose is not; some arrays are frozen."""

    def role(name, usual="parameter"):
        return "frozen" if name in frozen else usual

    arrays = {
        "a.weight": drawn(4, 3, 3, 3), "a.bias": drawn(4), "n.beta": drawn(4),
        "n.gamma": np.ones(4) if fixed else drawn(4), "m.gamma": drawn(4), "m.beta": drawn(4),
        "d.weight": drawn(5, 4), "d.bias": drawn(5),
    }  # fmt: skip
    made = {
        name: parameter(name, array, role(name), tuple(name.split(".")))
        for name, array in arrays.items()
    }
    if fixed:
        made["n.gamma"].role = "frozen"
    for norm in "nm":
        for name, low in (("mean", -1.0), ("var", 0.5)):
            made[f"{norm}.{name}"] = weight(f"{norm}.{name}", 4, low=low, role="statistic")

    def make(b, x):
        (x,) = b.add(convolution_of(3), x, made["a.weight"], made["a.bias"], name="a")
        (x,) = b.add(Elementwise("relu"), x, name="a_relu")
        for norm in "nm":
            ones = [made[f"{norm}.{each}"] for each in ("gamma", "beta", "mean", "var")]
            (x,) = b.add(BatchNorm(2e-5, 0.9, 1, always), x, *ones, name=norm)
            (x,) = b.add(Elementwise("relu"), x, name=f"{norm}_relu")
        (x,) = b.add(GlobalPool("avg"), x, name="pool")
        (x,) = b.add(Reshape((x.shape[0], 4)), x, name="flat")
        return b.add(Linear(), x, made["d.weight"], made["d.bias"], name="d")[0]

    return graph_of(make, (3, 8, 8))


def trained(net):
    return {f"{layer.name}.{v.name}" for layer in net.layers for v in layer.trainable_variables}


def test_fixed_gammas_are_no_numbers_of_the_model(tmp_path):
    text, net = is_as_numpy(small(), tmp_path)
    assert "n.gamma" not in text.names
    assert "scale=False" in text.source
    assert trained(net) == {*text.state} - {each for each in text.state if ".moving_" in each}
    assert "n.beta" in trained(net)


@pytest.mark.parametrize(
    "frozen",
    [{"a.weight", "a.bias"}, {"a.weight"}, {"m.gamma", "m.beta"}, {"m.beta", "n.beta", "d.bias"}],
    ids=sorted,
)
@pytest.mark.parametrize("always", [False, True])
def test_frozen_arrays_stay_as_they_are(frozen, always, tmp_path):
    import keras
    import tensorflow as tf

    graph = small(frozen, fixed=False, always=always)
    text, net = is_as_numpy(graph, tmp_path)
    kept = {text.names[name] for name in frozen}
    net.save(tmp_path / "net.keras")
    with wide():
        again = keras.models.load_model(tmp_path / "net.keras")
    for model in (net, again):
        before = {f"{x.name}.{w.name}": np.array(w) for x in model.layers for w in x.weights}
        x = drawn(4, 8, 8, 3)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x, training=True) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            variable.assign_sub(0.1 * gradient)
        after = {f"{x.name}.{w.name}": np.array(w) for x in model.layers for w in x.weights}
        same = {name for name in before if np.array_equal(before[name], after[name])}
        counted = {"n.moving_mean", "n.moving_variance", "m.moving_mean", "m.moving_variance"}
        assert same == (kept | counted if always else kept)


def test_a_model_is_saved_exported_and_fitted(tmp_path):
    import keras
    import tensorflow as tf

    _, net = is_as_numpy(small(), tmp_path)
    x = drawn(4, 8, 8, 3)
    expected = np.asarray(net(x, training=False))
    net.save(tmp_path / "net.keras")
    with wide():
        again = keras.models.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(np.asarray(again(x, training=False)), expected)
    net.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(exported.serve(x), expected, rtol=1e-12, atol=1e-12)
    net.compile("sgd", "mse")
    first = net.evaluate(x, np.zeros((4, 5)), verbose=0)
    net.fit(x, np.zeros((4, 5)), epochs=5, verbose=0)
    assert net.evaluate(x, np.zeros((4, 5)), verbose=0) < first


def test_a_convolution_in_groups_is_trained(tmp_path):
    import tensorflow as tf

    make, shape = CONVOLUTIONS["groups"]
    graph = graph_of(make, shape)
    text, net = is_as_numpy(graph, tmp_path)
    x = drawn(2, *shape)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(there(text, graph.inputs[0], x)) ** 2) / 2
    kernel = tape.gradient(loss, net.trainable_variables)[0].numpy()
    given = graph.nodes[0].inputs[1]
    step = np.zeros(given.shape)
    step[5, 1, 2, 0] = 1e-6
    original = given.data

    def total(sign):
        given.data = original + sign * step
        return (values_of(graph, {"x0": x})[graph.outputs[0]] ** 2).sum() / 2

    slope = (total(1) - total(-1)) / 2e-6
    np.testing.assert_allclose(kernel[2, 0, 1, 5], slope, rtol=1e-6)


def test_the_names_are_those_of_other_frameworks(tmp_path):
    _, net = is_as_numpy(small(fixed=False), tmp_path)
    expected = {
        *("a.weight", "a.bias", "n.weight", "n.bias", "n.running_mean", "n.running_var"),
        *("m.weight", "m.bias", "m.running_mean", "m.running_var", "d.weight", "d.bias"),
    }
    state = ub.state(net)
    assert {*state} == expected
    assert state["a.weight"].shape == (4, 3, 3, 3)


def test_a_file_of_other_names_is_refused(tmp_path):
    text = written(small())
    module = module_of(text.source, tmp_path)
    path = tmp_path / "net.safetensors"
    for state, name in (
        ({k: v for k, v in text.state.items() if k != "d.bias"}, "d.bias"),
        ({**text.state, "e.bias": drawn(5)}, "e.bias"),
    ):
        write_state(state, path)
        message = re.escape(f"names must be those of the network; got ['{name}']")
        with pytest.raises(ValueError, match=message):
            module.load(str(path))
    write_state({**text.state, "d.bias": drawn(6)}, path)
    with pytest.raises(ValueError, match="shape"):
        module.load(str(path))
