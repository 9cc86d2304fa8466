"""Models of several inputs: a tuple, a list or a dict of arrays."""

from collections import namedtuple

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import problem
from testbed.loaders import same_state, second_input, two

Inputs = namedtuple("Inputs", "X Z")
KINDS = {
    "tuple": lambda X, Z: (X, Z),
    "list": lambda X, Z: [X, Z],
    "dict": lambda X, Z: {"X": X, "Z": Z},
    "dict the other way round": lambda X, Z: {"Z": Z, "X": X},
    "named tuple": Inputs,
}
OPTIONS = {"loss": "cross_entropy", "optimizer": ub.SGD(0.125, 0.5), "batch_size": 16, "seed": 4}


def by_hand(net, x, z, y):
    """Two epochs of `fit`, each step a formula in NumPy."""
    numbers = ub.state(net)
    w, b, v = (numbers[name] for name in ("first.weight", "first.bias", "second.weight"))
    velocity, losses = [0.0, 0.0, 0.0], []
    generator = np.random.Generator(np.random.PCG64(4))
    for _ in range(2):
        order, found = generator.permutation(len(x)), []
        for i in range(0, len(x), 16):
            rows = order[i : i + 16]
            output = x[rows] @ w.T + b + 2 * z[rows] @ v.T
            shares = np.exp(output) / np.exp(output).sum(1, keepdims=True)
            found.append(-np.log(shares[np.arange(len(rows)), y[rows]]).sum())
            slope = (shares - np.eye(4)[y[rows]]) / len(rows)
            gradients = [slope.T @ x[rows], slope.sum(0), 2 * slope.T @ z[rows]]
            velocity = [0.5 * v + g for v, g in zip(velocity, gradients, strict=True)]
            w, b, v = (p - 0.125 * u for p, u in zip((w, b, v), velocity, strict=True))
        losses.append(sum(found) / len(x))
    return losses, (w, b, v)


@pytest.mark.parametrize("kind", KINDS)
def test_fit(backend_name, kind):
    (x, y), z, net = problem(), second_input(), two()
    losses, wanted = by_hand(net, x, z, y)
    history = ub.fit(net, KINDS[kind](x, z), y, epochs=2, **OPTIONS)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-12)
    found = (ub.state(net)[name] for name in ("first.weight", "first.bias", "second.weight"))
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_and_an_epoch_of_a_trainer(backend_name, kind):
    (x, y), z = problem(), second_input()
    nets = two(), two()
    of_steps, of_epoch = (ub.Trainer(net, ub.SGD(0.125, 0.5), "cross_entropy") for net in nets)
    losses = [
        float(ub.to_numpy(of_steps.step(KINDS[kind](x[i : i + 8], z[i : i + 8]), y[i : i + 8])))
        for i in range(0, 40, 8)
    ]
    found = of_epoch.epoch(KINDS[kind](x, z), y, np.arange(40), 8)
    np.testing.assert_array_equal(found, losses)
    same_state(*nets)


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_and_predict(backend_name, kind):
    (x, y), z, net = problem(), second_input(), two()
    numbers = ub.state(net)
    wanted = x @ numbers["first.weight"].T + numbers["first.bias"]
    wanted = wanted + 2 * z @ numbers["second.weight"].T
    for batch_size in (None, 15):
        found = ub.predict(net, KINDS[kind](x, z), batch_size=batch_size)
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
        loss = ub.evaluate(net, KINDS[kind](x, z), y, loss="cross_entropy", batch_size=batch_size)
        logs = np.log(np.exp(wanted).sum(1)) - wanted[np.arange(40), y]
        np.testing.assert_allclose(loss["loss"], logs.mean(), rtol=1e-12)


def test_a_native_model(backend_name):
    """Of a hand-written one inputs are given as its framework takes them."""
    (x, y), z, ours = problem("float32"), second_input().astype("float32"), None
    if backend_name == "torch":
        from torch import nn

        class Native(nn.Module):
            def __init__(self):
                super().__init__()
                self.first, self.second = nn.Linear(6, 4), nn.Linear(3, 4, bias=False)

            def forward(self, X, Z):
                return self.first(X) + self.second(Z) * 2

        native = Native()
    elif backend_name == "tensorflow":
        import keras

        inputs = keras.Input((6,), name="X"), keras.Input((3,), name="Z")
        first = keras.layers.Dense(4, name="first")(inputs[0])
        second = keras.layers.Dense(4, use_bias=False, name="second")(inputs[1])
        native = keras.Model(inputs, first + second * 2)
    else:
        from mxnet.gluon import nn

        class Native(nn.HybridBlock):
            def __init__(self):
                super().__init__()
                self.first = nn.Dense(4, in_units=6)
                self.second = nn.Dense(4, in_units=3, use_bias=False)

            def hybrid_forward(self, F, X, Z):
                return self.first(X) + self.second(Z) * 2

        native = Native()
        native.initialize()
    with ub.use_dtype("float32"):
        ours = ub.cast(two(), "float32")
    ub.load_state(ours, by_shape(native, ours))
    losses = [ub.fit(net, (x, z), y, epochs=2, **OPTIONS).loss for net in (native, ours)]
    np.testing.assert_allclose(*losses, rtol=1e-6)
    if backend_name != "tensorflow":
        ub.fit(native, {"Z": z, "X": x}, y, **OPTIONS)
        ub.fit(ours, {"Z": z, "X": x}, y, **OPTIONS)
        for name, array in by_shape(native, ours).items():
            np.testing.assert_allclose(array, ub.state(ours)[name], rtol=1e-5, atol=1e-6)


def by_shape(native, ours):
    given = {array.shape: array for array in ub.state(native).values()}
    return {name: given[array.shape] for name, array in ub.state(ours).items()}


def test_keras_models_that_take_all_inputs_at_once(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("Keras' way to write a model")
    import keras

    class Native(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = keras.layers.Dense(4), keras.layers.Dense(4, use_bias=False)

        def call(self, inputs):
            X, Z = inputs.values() if isinstance(inputs, dict) else inputs
            return self.first(X) + self.second(Z) * 2

    (x, y), z = problem("float32"), second_input().astype("float32")
    for inputs in ((x, z), {"X": x, "Z": z}):
        net = Native()
        net({"X": x, "Z": z})
        ours = ub.cast(two(), "float32")
        ub.load_state(ours, by_shape(net, ours))
        losses = [ub.fit(net, inputs, y, epochs=2, **OPTIONS).loss for net in (net, ours)]
        np.testing.assert_allclose(*losses, rtol=1e-6)


def test_wrong_names_are_an_error(backend_name):
    (x, y), z = problem(), second_input()
    message = "Y" if backend_name == "torch" else r"names of its forward, X, Z; got X, Y: rename"
    with pytest.raises(TypeError, match=message):
        ub.fit(two(), {"X": x, "Y": z}, y, **OPTIONS)


def test_inputs_of_different_lengths_are_an_error(backend_name):
    (x, y), z = problem(), second_input()
    with pytest.raises(ValueError, match=r"same number of samples.*got 40 and 39 and 40"):
        ub.fit(two(), (x, z[1:]), y, **OPTIONS)
