"""Which layer of one model `ub.compare` takes for which of the other; inputs by name."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, normal
from testbed.comparing import built, calls, pairs
from testbed.mutants.checks import numbered

x = normal(5, 6, dtype="float64")


def sequence(*words, on=None):
    """Dense layers, given by their widths, and activations."""

    def make():
        return ub.MySequential(
            *(ub.Dense(word) if isinstance(word, int) else getattr(ub, word)() for word in words)
        )

    return numbered(built(make, on=on))


def by_order(a, b, mode="forward", **options):
    ub.transfer(a, b, match="order")
    return ub.compare(a, b, x, mode=mode, **options)


# rename


SHIFTED = {str(n): str(n + 1) for n in range(5)}


@pytest.mark.parametrize("given", ["mapping", "function", "arrays"])
def test_a_layer_that_nothing_maps_to_has_no_partner(backend_name, given):
    a = sequence(6, "Tanh", 4, "Sigmoid", 3)
    b = sequence(6, "Tanh", 4, "ReLU", 3)
    b = built(lambda: ub.MySequential(ub.Lambda(lambda X: X * 1.0), *layers_of(b)))
    ub.transfer(a, b, match="order")
    rename = {
        "mapping": SHIFTED,
        "function": lambda name: (
            f"{int(name[0]) + 1}{name[1:]}" if name and name[0].isdigit() else name
        ),
        "arrays": {
            **{f"{i}.{n}": f"{i + 1}.{n}" for i in (0, 2, 4) for n in ("weight", "bias")},
            **{str(i): str(i + 1) for i in (1, 3)},
        },
    }[given]
    found = ub.compare(a, b, x, rename=rename)
    first = found.first_difference
    assert (first.name, found.cause) == ("3", "another_activation"), str(found)
    assert calls(found)[:3] == ["0", "1", "2"]


def layers_of(net):
    return [layer for path, layer in ub.backend_of(net).layers(net) if path.isdigit()]


def test_names_are_exchanged(backend_name):
    a, b = sequence(6, 6), sequence(6, 6)
    numbers = ub.state(a)
    back = {"0": "1", "1": "0"}
    ub.load_state(b, {f"{back[name[0]]}{name[1:]}": array for name, array in numbers.items()})
    found = ub.compare(a, b, rename=back, mode="parameters")
    assert found, str(found)
    assert not ub.compare(a, b, mode="parameters")


def test_a_name_that_is_renamed_away_is_free(backend_name):
    a, b = sequence(6, 6), sequence(6, 6)
    ub.load_state(b, ub.state(a))
    found = ub.compare(a, b, x, rename={"0": "1"})
    names = [row.name for row in found.rows if row.what == "parameter"]
    assert names == ["0.weight", "0.bias"], str(found)
    assert "1.weight, 1.bias of MySequential" in str(found)
    assert "0.weight, 0.bias of MySequential" in str(found)


def test_what_a_function_skips_has_no_partner(backend_name):
    a, b = sequence(6, 3), sequence(6, 3)
    ub.load_state(b, ub.state(a) | {"1.bias": np.ones(3)})
    rename = {"0.weight": "0.weight", "0.bias": "0.bias", "1.weight": "1.weight"}.get
    found = ub.compare(a, b, mode="forward", inputs=x, rename=rename)
    assert "1.bias" not in {row.name for row in found.rows if row.what == "parameter"}
    assert found.first_difference.name == "1", str(found)


@pytest.mark.parametrize(
    ("rename", "side"),
    [
        ({"0": "no_such_layer"}, "no_such_layer on the right, of which the second model has none"),
        ({"0.weight": "1.weigth"}, "1.weigth on the right"),
        ({"no_such_layer": "0"}, "no_such_layer on the left, of which the first model has none"),
        ({"0": "1", "x": "0", "y": "1"}, "x, y on the left"),
    ],
)
@pytest.mark.parametrize("mode", ["forward", "gradient", "compiled", "parameters"])
def test_a_name_that_no_model_has_is_an_error(backend_name, mode, rename, side):
    a, b = sequence(6, 6), sequence(6, 6)
    with pytest.raises(ValueError, match=side):
        ub.compare(a, b, x, mode=mode, rename=rename)


# order


@pairs
@pytest.mark.parametrize("mode", ["forward", "train", "gradient", "training", "parameters"])
def test_by_order_names_do_not_matter(first, second, mode):
    a = sequence(6, "Tanh", 4, on=first)
    b = built(Named, on=second)
    found = by_order(a, b, mode, match="order")
    assert found, str(found)
    assert "without a partner" not in str(found)
    assert {row.name for row in found.rows if row.what == "parameter"} >= {"0.weight", "2.bias"}
    if mode != "parameters":
        assert calls(found) == ["0", "1", "2", "(model)"]


class Named(ub.Block):
    """What `6, "Tanh", 4` is, in words, or with another activation."""

    def __init__(self, activation="Tanh"):
        super().__init__()
        self.first, self.act, self.last = ub.Dense(6), getattr(ub, activation)(), ub.Dense(4)

    def forward(self, X):
        return self.last(self.act(self.first(X)))


def test_by_order_the_right_layer_is_named(backend_name):
    a = sequence(6, "Tanh", 4)
    found = by_order(a, built(lambda: Named("Sigmoid")), match="order")
    assert (found.first_difference.name, found.cause) == ("1", "another_activation"), str(found)
    found = by_order(a, sequence(6, "ReLU", "Sigmoid", 4), match="order")
    first = found.first_difference
    assert (first.name, first.after) == ("(model)", "0"), str(found)
    b = ub.transfer(a, built(Named), match="order")
    ub.load_state(b, ub.state(b) | {"last.bias": np.ones(4)})
    found = ub.compare(a, b, x, match="order")
    assert found.first_difference.name == "2.bias"


def test_by_order_layers_have_to_be_the_same(backend_name):
    with pytest.raises(ub.StateMismatchError, match="layers that hold parameters"):
        ub.compare(sequence(6, 4), sequence(6, 5, 4), x, match="order")


def test_order_and_names_exclude_each_other(backend_name):
    net = sequence(6)
    with pytest.raises(ValueError, match="match must be"):
        ub.compare(net, net, x, match="order", rename={"0": "0"})
    with pytest.raises(ValueError, match="match must be"):
        ub.compare(net, net, x, match="kind")


@pytest.mark.skipif(not {"torch", "tensorflow"} <= set(HERE), reason="it needs both")
def test_a_sequence_of_keras_with_a_layer_more_is_paired():
    import keras
    from torch import nn

    a = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4), nn.Sigmoid(), nn.Linear(4, 3))
    layers = keras.layers
    b = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Rescaling(1.0),
            layers.Dense(5),
            layers.Activation("tanh"),
            layers.Dense(4),
            layers.Activation("relu"),
            layers.Dense(3),
        ]
    )
    ub.transfer(a, b, match="order")
    for options in ({"rename": SHIFTED}, {"match": "order"}):
        found = ub.compare(a, b, x.astype("float32"), **options)
        first = found.first_difference
        assert (first.name, found.cause) == ("3", "another_activation"), str(found)


# inputs by name


class TwoInputs(ub.Block):
    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(6)

    def forward(self, query, value=None):
        H = self.dense(query)
        return H if value is None else H - value


def two(backend_name):
    """The same by hand."""
    if backend_name == "torch":
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.dense = nn.Linear(6, 6)

            def forward(self, query, value=None):
                H = self.dense(query)
                return H if value is None else H - value

        return ub.cast(Net(), "float64")
    if backend_name == "tensorflow":
        import keras

        class Net(keras.Model):
            def __init__(self):
                super().__init__(dtype="float64")
                self.dense = keras.layers.Dense(6, dtype="float64")

            def call(self, query, value=None):
                H = self.dense(query)
                return H if value is None else H - value

        return Net()
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    class Net(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.dense = mx.gluon.nn.Dense(6, in_units=6, flatten=False)

        def hybrid_forward(self, F, query, value=None):
            H = self.dense(query)
            return H if value is None else H - value

    with numpy_semantics():
        net = Net()
        net.initialize()
        net.cast("float64")
    return net


@pytest.mark.parametrize("native", [True, False])
def test_inputs_by_name_are_the_arguments_of_these_names(backend_name, native):
    q, v = x, normal(5, 6, dtype="float64", seed=3)
    net = two(backend_name) if native else built(TwoInputs, (q, v))
    other = built(TwoInputs, (q, v))
    inputs = {"value": v, "query": q}
    if native:
        ub.backend_of(net).run(net, [ub.backend_of(net).from_numpy(q)])
    ub.transfer(other, net)
    found = ub.compare(net, other, inputs)
    assert found, str(found)
    exchanged = {"value": q, "query": v}
    by_position = ub.compare(net, other, (q, v))
    assert worst(found) == worst(by_position) == 0
    assert ub.compare(net, other, exchanged)
    assert ub.compare(net, other, {"query": q}, mode="gradient")
    with pytest.raises(ub.UnsupportedError, match="one input"):
        ub.compare(net, other, inputs, mode="gradient")


def worst(found):
    return max(row.absolute for row in found.rows)


@pytest.mark.parametrize("inputs", [{"query": x, "mask": x}, {"value": x}])
def test_names_that_a_model_does_not_have_are_an_error(backend_name, inputs):
    net = built(TwoInputs, (x, x))
    with pytest.raises(ub.InputError, match="inputs by name must be those of TwoInputs"):
        ub.compare(net, net, inputs)


class OfDict(ub.Block):
    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(6)

    def forward(self, batch):
        return self.dense(batch["ids"]) - batch["mask"]


def test_a_model_that_takes_a_dict_is_given_one(backend_name):
    if backend_name == "mxnet":
        pytest.skip("a HybridBlock takes no dict")
    inputs = {"ids": x, "mask": normal(5, 6, dtype="float64", seed=3)}
    backend = ub.get_backend()

    def make():
        with ub.use_dtype("float64"):
            net = OfDict()
        backend.run(net, [{name: backend.from_numpy(array) for name, array in inputs.items()}])
        return ub.initialize(net, 1, "torch_default")

    a, b = make(), make()
    for given in (inputs, (inputs,)):
        found = ub.compare(a, b, given)
        assert found, str(found)
    with pytest.raises(ub.UnsupportedError, match="got a dict"):
        ub.compare(a, b, inputs, mode="compiled")


@pytest.mark.skipif(not {"torch", "tensorflow"} <= set(HERE), reason="it needs both")
@pytest.mark.parametrize("kind", [dict, list])
def test_a_functional_model_takes_its_inputs_by_name(kind):
    import keras
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = nn.Linear(6, 4)

        def forward(self, right, left):
            return self.dense(left) - self.dense(right)

    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    dense = keras.layers.Dense(4, name="dense")
    given = {"left": left, "right": right} if kind is dict else [left, right]
    b = keras.Model(given, dense(left) - dense(right))
    a = Net()
    ub.transfer(a, b)
    inputs = {"left": normal(5, 6), "right": normal(5, 6, seed=3)}
    for first, second in ((a, b), (b, a)):
        found = ub.compare(first, second, inputs)
        assert found, str(found)
    wrong = {"left": inputs["right"], "right": inputs["left"]}
    assert np.abs(b.predict(inputs, verbose=0) - b.predict(wrong, verbose=0)).max() > 0.1
