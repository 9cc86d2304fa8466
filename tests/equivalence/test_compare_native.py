"""`ub.compare` of models that this library did not make."""

import pytest

import unified_blocks as ub
from testbed.common import HERE, normal
from testbed.comparing import calls, pairs
from testbed.models import NUMBERED, native_net, renamed_net
from testbed.mutants.checks import numbered


def native(backend_name, make, x):
    net = make(backend_name)
    backend = ub.backend_of(net)
    backend.run(net, [backend.from_numpy(x)])
    return numbered(net)


@pairs
@pytest.mark.parametrize("mode", ["forward", "gradient"])
def test_native_models_alike_are_equivalent(first, second, mode):
    x = normal(5, 4)
    a, b = native(first, native_net, x), native(second, native_net, x)
    ub.transfer(a, b)
    found = ub.compare(a, b, x, mode=mode)
    assert found, str(found)
    assert calls(found) == ["first", "norm", "last", "(model)"]


@pairs
@pytest.mark.parametrize(
    "rename",
    [
        NUMBERED,
        lambda name: name.replace("first", "0").replace("norm", "1").replace("last", "2"),
        {f"{a}.{n}": f"{b}.{n}" for a, b in NUMBERED.items() for n in ("weight", "bias")}
        | {f"norm.running_{n}": f"1.running_{n}" for n in ("mean", "var")},
    ],
    ids=["paths", "function", "arrays"],
)
def test_names_that_differ_are_renamed_as_in_a_transfer(first, second, rename):
    x = normal(5, 4)
    a, b = native(first, native_net, x), native(second, renamed_net, x)
    ub.transfer(a, b, rename=rename)
    found = ub.compare(a, b, x, rename=rename)
    assert found, str(found)
    assert calls(found) == ["first", "norm", "last", "(model)"]
    unpaired = ub.compare(a, b, x)  # what they compute is the same, whatever the names are
    assert unpaired, str(unpaired)
    assert calls(unpaired) == ["(model)"]
    assert "without a partner" in str(unpaired)
    assert not ub.compare(a, b, mode="parameters")


@pytest.mark.skipif(not {"torch", "mxnet"} <= set(HERE), reason="it needs both")
@pytest.mark.parametrize("gamma", [1.0, 1.5])
def test_a_gamma_that_gluon_holds_at_1_has_to_be_1(gamma):
    x = normal(5, 4)
    a = native("torch", native_net, x)
    numbers = ub.state(a)
    numbers["norm.weight"][...] = gamma
    ub.load_state(a, numbers)
    b = native("mxnet", lambda name: native_net(name, scale=False), x)
    for v in ub.backend_of(b).variables(b):
        v.write(numbers[v.name])
    for found in (ub.compare(a, b, x), ub.compare(b, a, x)):
        assert found.cause == (None if gamma == 1 else "fix_gamma"), str(found)


def with_activation(backend_name, activation, inside):
    """A native dense layer `first`, an activation, and a dense layer `last`."""
    if backend_name == "torch":
        from torch import nn

        act = {"relu": nn.ReLU, "tanh": nn.Tanh}[activation]
        parts = {"first": nn.Linear(4, 5), "act": act(), "last": nn.Linear(5, 3)}
        net = nn.Sequential()
        for name, part in parts.items():
            net.add_module(name, part)
        return net
    if backend_name == "tensorflow":
        import keras

        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                self.first = keras.layers.Dense(5, activation if inside else None)
                self.after = keras.layers.Activation(None if inside else activation)
                self.last = keras.layers.Dense(3)

            def call(self, X):
                return self.last(self.after(self.first(X)))

        return Net()
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    nn = mx.gluon.nn

    class Net(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            options = {"in_units": 4, "flatten": False}
            self.first = nn.Dense(5, activation=activation if inside else None, **options)
            self.after = None if inside else nn.Activation(activation)
            self.last = nn.Dense(3, in_units=5, flatten=False)

        def hybrid_forward(self, F, X):
            H = self.first(X)
            return self.last(H if self.after is None else self.after(H))

    with numpy_semantics():
        net = Net()
        net.initialize()
    return net


@pairs
@pytest.mark.parametrize("insides", [(True, False), (False, True), (True, True)])
def test_an_activation_inside_a_layer_or_after_it_is_the_same(first, second, insides):
    x = normal(5, 4)
    a, b = (
        native(name, lambda name, inside=inside: with_activation(name, "relu", inside), x)
        for name, inside in zip((first, second), insides, strict=True)
    )
    ub.transfer(a, b)
    for mode in ("forward", "gradient"):
        found = ub.compare(a, b, x, mode=mode)
        assert found, str(found)
        assert calls(found)[-2:] == ["last", "(model)"]


@pairs
def test_another_activation_in_a_native_model_is_named(first, second):
    x = normal(5, 4)
    a = native(first, lambda name: with_activation(name, "relu", True), x)
    b = native(second, lambda name: with_activation(name, "tanh", True), x)
    ub.transfer(a, b)
    found = ub.compare(a, b, x)
    assert found.cause == "another_activation", str(found)
    assert found.first_difference.name == "first", str(found)
