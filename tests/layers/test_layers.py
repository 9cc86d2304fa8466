"""The portable layers are as their NumPy reference, and native where they can be."""

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks.layer_cases import LAYERS, made
from testbed.common import graph, normal, run
from unified_blocks.reference.policy import deviation


def evaluate(net, x):
    backend = ub.backend_of(net)
    return backend.to_numpy(backend.run(net, [backend.from_numpy(x)]))


BY_NUMBER = ("Softmax 1 last", "LogSoftmax -1 last", "Parallel 1 last", "Parallel -1 last")
"""Along an axis that is elsewhere in this layout, depending on how many there are."""


@pytest.mark.parametrize("name", LAYERS)
def test_in_a_graph(backend_name, name):
    if backend_name == "mxnet" and name in BY_NUMBER:
        pytest.skip("a symbol does not tell how many axes there are")
    shape = LAYERS[name].shapes[0]
    net, x = made(LAYERS[name].make, shape), normal(*shape, dtype="float64")
    if backend_name == "torch":
        net.eval()
    eager = run(net, x)
    compiled = graph(backend_name, net)
    found = ub.to_numpy(compiled(ub.from_numpy(x)))
    np.testing.assert_allclose(found, eager, rtol=1e-12, atol=1e-14)


NATIVE = {
    "torch": {
        "Dense": "Linear",
        "ReLU": "ReLU",
        "GELU": "GELU",
        "Softmax": "Softmax",
        "Dropout": "Dropout",
        "Flatten": "Flatten",
        "Embedding": "Embedding",
        "LayerNorm": "LayerNorm",
        "BatchNorm": "BatchNorm1d",
        **{name: name for name in ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")},
    },
    "tensorflow": {
        "Dense": "Dense",
        "ReLU": "ReLU",
        "GELU": "Activation",
        "Softmax": "Softmax",
        "Dropout": "Dropout",
        "Flatten": "Flatten",
        "Embedding": "Embedding",
        "LayerNorm": "LayerNormalization",
        "BatchNorm": "BatchNormalization",
    },
    "mxnet": {
        "Dense": "Dense",
        "ReLU": "Activation",
        "Dropout": "Dropout",
        "Flatten": "Flatten",
        "Embedding": "Embedding",
        "LayerNorm": "LayerNorm",
        "BatchNorm": "BatchNorm",
    },
}


def test_a_layer_is_a_native_layer(backend_name):
    if backend_name == "torch":
        from torch import nn as layers
    elif backend_name == "tensorflow":
        from keras import layers
    else:
        from unified_blocks_mxnet.compat import nn as layers
    for ours, theirs in NATIVE[backend_name].items():
        expected = getattr(layers, theirs)
        cls = getattr(ub, ours).on(backend_name)
        if (backend_name, ours) == ("torch", "BatchNorm"):
            expected = layers.LazyBatchNorm1d  # PyTorch's own that waits for its first input
        assert issubclass(cls, expected), ours


# Embedding


@pytest.mark.parametrize("kind", ["int32", "int64"])
def test_embedding(backend_name, dtype, kind):
    with ub.use_dtype(dtype):
        net = ub.Embedding(7, 3)
    x = np.array([[0, 6, 2], [2, 2, 1]], kind)
    y = run(net, x)
    assert (y.shape, y.dtype) == ((2, 3, 3), dtype)
    np.testing.assert_array_equal(y, ub.state(net)["weight"][x])
    np.testing.assert_array_equal(y, net.reference(ub.state(net), x))


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_an_index_is_a_whole_number(backend_name, kind):
    net = ub.Embedding(7, 3)
    with pytest.raises(TypeError, match=f"must be whole numbers; got .*{kind}.* ops.astype"):
        run(net, np.array([1, 2], kind))


@pytest.mark.parametrize("bad", [-1, 7])
def test_an_index_outside_is_never_another_row(backend_name, bad):
    net = ub.Embedding(7, 3)
    x = np.array([1, bad])
    if backend_name == "torch":
        with pytest.raises(IndexError):
            run(net, x)
        return
    for compiled in (net, graph(backend_name, net)):
        y = ub.to_numpy(compiled(ub.from_numpy(x)))
        assert np.isnan(y).tolist() == [[False] * 3, [True] * 3]


# BatchNorm


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3), (4, 6, 2, 3), (2, 6, 2, 1, 3), (1, 6)])
@pytest.mark.parametrize("in_units", [None, 6])
def test_batch_norm_in_training(backend_name, shape, in_units):
    net = made(lambda: ub.BatchNorm(in_units=in_units, momentum=0.25), shape)
    before, x = ub.state(net), normal(*shape, dtype="float64")
    y = normal(*shape, dtype="float64", seed=1)
    axes = (0, *range(2, x.ndim))
    mean, var = x.mean(axes), x.var(axes)  # biased
    value, _ = ub.value_and_grad(net, x, y, loss="mse", train=True)  # MXNet moves them in backward
    numbers = {**before, "running_mean": mean, "running_var": var}
    expected = np.mean((net.reference(numbers, x) - y) ** 2)
    assert value == pytest.approx(expected, rel=1e-9)
    after = ub.state(net)
    for name, new in (("running_mean", mean), ("running_var", var)):
        np.testing.assert_allclose(after[name], 0.75 * before[name] + 0.25 * new, rtol=1e-12)
    assert deviation(evaluate(net, x), net.reference(after, x), "float64").ok


def test_the_default_momentum_is_that_of_the_new_value(backend_name):
    net, x = ub.BatchNorm(), normal(8, 3)
    ub.build(net, x.shape)
    ub.value_and_grad(net, x, loss="sum", train=True)
    np.testing.assert_allclose(ub.state(net)["running_mean"], 0.1 * x.mean(0), rtol=1e-4, atol=1e-7)


def test_running_statistics_are_constants(backend_name):
    net = ub.build(ub.BatchNorm(), (2, 3))
    roles = {v.name: v.role for v in ub.backend_of(net).variables(net)}
    assert roles == {
        "weight": "parameter",
        "bias": "parameter",
        "running_mean": "constant",
        "running_var": "constant",
    }


# modes


def test_dropout_follows_the_mode_of_the_framework(backend_name):
    net = ub.MySequential(ub.Dropout(0.25), ub.ReLU())
    x = ub.from_numpy(np.ones((100, 100), "float32"))
    backend = ub.backend_of(net)
    assert (backend.to_numpy(backend.run(net, [x], train=False)) == 1).all()
    y = backend.to_numpy(backend.run(net, [x], train=True))
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)}
    assert 0.22 < (y == 0).mean() < 0.28


# what they share


PARAMETERS = {
    "LayerNorm": ub.LayerNorm,
    "BatchNorm": ub.BatchNorm,
    "Dense": lambda: ub.Dense(5, activation="gelu"),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_state_builds_what_is_not_built(backend_name, name):
    net = made(PARAMETERS[name], (4, 6))
    with ub.use_dtype("float64"):
        other = ub.load_state(PARAMETERS[name](), ub.state(net))
    x = normal(4, 6, dtype="float64")
    np.testing.assert_array_equal(evaluate(other, x), evaluate(net, x))


def test_initialize_knows_every_layer(backend_name):
    net = ub.MySequential(ub.Embedding(9, 4), ub.LayerNorm(), ub.Flatten(), ub.Dense(5))
    net.add(ub.BatchNorm())
    net(ub.from_numpy(np.zeros((2, 3), "int64")))
    for scheme, bound in (("keras_default", 0.05), ("gluon_default", 0.07)):
        state = ub.state(ub.initialize(net, 1, scheme))
        assert bound * 0.8 < np.abs(state["0.weight"]).max() <= bound
        assert (state["1.weight"] == 1).all()
        assert (state["4.bias"] == 0).all()
    assert ub.state(ub.initialize(net, 1, "torch_default"))["0.weight"].std() > 0.5


def square(x):
    return x * x


def test_lambda(backend_name):
    import pickle

    net = ub.MySequential(ub.Dense(3, in_units=4), ub.Lambda(square))
    copied = pickle.loads(pickle.dumps(net)) if backend_name != "tensorflow" else net
    x = normal(2, 4)
    np.testing.assert_allclose(run(copied, x), run(net[0], x) ** 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ub.Activation("swiglu"), "activation must be .*one of relu"),
        (lambda: ub.Dropout(1.0), r"Dropout: rate must be in \[0, 1\); got rate=1.0"),
        (lambda: ub.Embedding(0, 3), "input_dim must be at least 1"),
        (lambda: ub.LayerNorm(epsilon=0.0), "epsilon must be above 0"),
        (lambda: ub.BatchNorm(momentum=2), r"momentum must be in \[0, 1\]"),
    ],
)
def test_wrong_arguments(backend_name, make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_bfloat16(backend_name):
    """On PyTorch and TensorFlow a block is made in it or cast to it; MXNet computes nothing so."""

    def made():
        with ub.use_dtype("bfloat16"):
            return ub.MySequential(ub.Dense(4, in_units=3), ub.ReLU())

    def built():
        with ub.use_dtype("bfloat16"):
            return ub.build(ub.MLP(4, 3), (2, 3))

    def cast():
        return ub.cast(ub.build(ub.MLP(4, 3), (2, 3)), "bfloat16")

    for make in (made, built, cast):
        if backend_name == "mxnet":
            with pytest.raises(ub.UnsupportedError, match="one of float16, float32, float64; got"):
                make()
            continue
        net = make()
        assert {v.dtype for v in ub.backend_of(net).variables(net)} == {"bfloat16"}
