"""The variables of native models: names, shared ones, dtypes, and those that do not exist yet."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

TABLE = normal(6, 3)


def only(backend_name, wanted, why):
    if backend_name != wanted:
        pytest.skip(f"on {backend_name} {why}")


# names


def test_two_variables_of_one_name_are_an_error(backend_name):
    only(backend_name, "tensorflow", "names cannot meet")
    import keras

    x = keras.Input((4,))
    inner = keras.Sequential([keras.layers.Dense(4)], name="inner")
    beside = keras.layers.Dense(4)
    beside.name = "inner.0"
    net = keras.Model(x, beside(inner(x)))
    for question in (ub.state, lambda n: ub.load_state(n, {}), lambda n: ub.diff_state(n, {})):
        with pytest.raises(ub.UnsupportedError, match=r"be unique; got inner\.0\.bias, inner"):
            question(net)


def test_two_keys_of_one_name_are_an_error(backend_name):
    only(backend_name, "tensorflow", "layers in a dict are not found, or not two of one name")
    import keras

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.by = {0: keras.layers.Dense(3), "0": keras.layers.Dense(3)}

        def call(self, X):
            return self.by[0](X) + self.by["0"](X)

    net = Net()
    with pytest.raises(ub.UnsupportedError, match=r"got by\.0\.bias, by\.0\.weight of more"):
        ub.load_state(net, {"by.0.weight": normal(3, 4), "by.0.bias": normal(3)})
    with pytest.raises(ub.UnsupportedError, match="give one of the layers another name"):
        ub.state(ub.build(net, (2, 4)))


def tied(backend_name, first):
    """An embedding, and a layer that holds the table of it as `w`, before it or after it."""
    if backend_name == "tensorflow":
        import keras

        class Head(keras.layers.Layer):
            def __init__(self, table):
                super().__init__()
                self.w = table

            def call(self, X):
                return X @ keras.ops.transpose(self.w)

        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                emb = keras.layers.Embedding(6, 3)
                emb.build()
                for name in ("head", "emb") if first else ("emb", "head"):
                    setattr(self, name, emb if name == "emb" else Head(emb.embeddings))

            def call(self, X):
                return self.head(self.emb(X))

        return Net()
    import torch
    from torch import nn

    class Head(nn.Module):
        def __init__(self, table):
            super().__init__()
            self.w = table

        def forward(self, X):
            return X @ self.w.T

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            emb = nn.Embedding(6, 3)
            for name in ("head", "emb") if first else ("emb", "head"):
                setattr(self, name, emb if name == "emb" else Head(emb.weight))

        def forward(self, X):
            return self.head(self.emb(torch.as_tensor(X)))

    return Net()


@pytest.mark.parametrize("first", [False, True])
def test_a_variable_that_two_layers_hold_is_one(backend_name, first):
    if backend_name == "mxnet":
        pytest.skip("on mxnet a block's parameters are its own")
    net = tied(backend_name, first)
    name, other = ("head.w", "emb.weight") if first else ("emb.weight", "head.w")
    assert list(ub.state(net)) == [name]
    ub.load_state(net, {other: TABLE})
    np.testing.assert_array_equal(ub.state(net)[name], TABLE)
    with pytest.raises(ub.StateMismatchError, match="other numbers for"):
        ub.load_state(net, {name: TABLE, other: TABLE + 1})
    trainer = ub.Trainer(net, ub.SGD(0.1, 0.5), "sum")
    trainer.step(np.array([[1, 2]]))
    assert f"optimizer.{name}.velocity" in ub.state(trainer)


def test_the_weight_of_a_dense_layer_that_another_layer_holds_has_one_layout(backend_name):
    only(backend_name, "tensorflow", "there is one layout")
    import keras

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            dense = keras.layers.Dense(3, use_bias=False)
            dense.build((None, 2))
            self.w = dense.kernel
            self.dense = dense

    net = Net()
    assert ub.state(net)["w"].shape == (3, 2)


def test_a_hook_on_the_names_of_a_state_dict_does_not_hide_variables(backend_name):
    only(backend_name, "torch", "there are no such hooks")
    from torch import nn

    net = nn.Sequential(nn.Linear(2, 3))
    net.register_buffer("scratch", net[0].weight.detach().clone(), persistent=False)

    def rename(module, state, prefix, metadata):
        for name in list(state):
            state[f"module.{name}"] = state.pop(name)

    net._register_state_dict_hook(rename)
    assert sorted(ub.state(net)) == ["0.bias", "0.weight"]
    other = nn.Sequential(nn.Linear(2, 3))
    assert ub.diff_state(ub.transfer(net, other), net).equal


# dtypes


def in_bfloat16(backend_name):
    if backend_name == "torch":
        import torch
        from torch import nn

        return nn.Linear(2, 3, dtype=torch.bfloat16)
    import keras

    layer = keras.layers.Dense(3, dtype="bfloat16")
    layer.build((None, 2))
    return layer


FULL = {"weight": normal(3, 2), "bias": normal(3)}


@pytest.mark.parametrize(
    "question",
    [
        ub.state,
        ub.initialize,
        lambda net: ub.load_state(net, FULL),
        lambda net: ub.diff_state(net, FULL),
        lambda net: ub.transfer(net, net),
    ],
)
@pytest.mark.capability("bfloat16")
def test_a_dtype_that_numpy_lacks_is_an_error(backend_name, question):
    with pytest.raises(
        ub.UnsupportedError, match=r"got weight of bfloat16.*ub\.cast\(net, \"float32\"\)"
    ):
        question(in_bfloat16(backend_name))
    assert ub.state(ub.cast(in_bfloat16(backend_name), "float32"))["weight"].dtype == "float32"


# what does not exist yet


def unbuilt(backend_name, kind):
    """`Conv` of 8 filters (3, 2), `Transposed` of 8, or `BatchNorm`; not initialised on Gluon."""
    if backend_name == "torch":
        from torch import nn

        return {
            "Conv": lambda: nn.Sequential(nn.LazyLinear(2), nn.LazyConv2d(8, (3, 2))),
            "Transposed": lambda: nn.Sequential(
                nn.LazyLinear(2), nn.LazyConvTranspose2d(8, (3, 2))
            ),
        }[kind]()
    if backend_name == "tensorflow":
        import keras

        layers = keras.layers
        return keras.Sequential(
            [
                layers.Dense(2),
                {"Conv": layers.Conv2D, "Transposed": layers.Conv2DTranspose}[kind](8, (3, 2)),
            ]
        )
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    nn = mx.gluon.nn
    with numpy_semantics():
        net = nn.HybridSequential()
        net.add(nn.Dense(2), {"Conv": nn.Conv2D, "Transposed": nn.Conv2DTranspose}[kind](8, (3, 2)))
    return net


GIVEN = {"0.weight": normal(2, 5), "0.bias": normal(2), "1.bias": normal(8)}


@pytest.mark.parametrize("kind", ["Conv", "Transposed"])
@pytest.mark.parametrize("shape", [(8, 5), (8, 5, 3, 3), (5, 8, 3, 3), (7, 7, 3, 2)])
def test_the_known_sizes_of_a_convolution_are_checked_before_anything_is_built(
    backend_name, kind, shape
):
    net = unbuilt(backend_name, kind)
    known = {"Conv": r"\(8, any, 3, 2\)", "Transposed": r"\(any, 8, 3, 2\)"}[kind]
    with pytest.raises(ub.StateMismatchError, match=rf"1\.weight of shape .*, not {known}"):
        ub.load_state(net, {**GIVEN, "1.weight": normal(*shape)})
    with pytest.raises(ub.NotBuiltError):
        ub.state(net)
    right = (8, 5, 3, 2) if kind == "Conv" else (5, 8, 3, 2)
    state = {**GIVEN, "1.weight": normal(*right)}
    assert ub.diff_state(ub.load_state(net, state), state).equal


def test_a_bias_of_a_convolution_is_checked_too(backend_name):
    wrong = {**GIVEN, "1.weight": normal(8, 5, 3, 2), "1.bias": normal(5)}
    with pytest.raises(ub.StateMismatchError, match=r"1\.bias of shape \(5,\), not \(8,\)"):
        ub.load_state(unbuilt(backend_name, "Conv"), wrong)


def test_a_lazy_module_of_someone_else_has_to_be_built_first(backend_name):
    only(backend_name, "torch", "there are no such modules")
    import torch
    from torch import nn
    from torch.nn.modules.lazy import LazyModuleMixin

    class Scale(LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.UninitializedParameter()

        def initialize_parameters(self, X):
            self.weight.materialize(X.shape[-1:])
            nn.init.ones_(self.weight)

        def forward(self, X):
            return X * self.weight

    with pytest.raises(ub.StateMismatchError, match=r"call ub\.build\(net, input_shape\) first"):
        ub.load_state(Scale(), {"weight": normal(3)})
    assert ub.load_state(ub.build(Scale(), (2, 3)), {"weight": normal(3)})(torch.ones(3)).shape


@pytest.mark.parametrize("layer", [ub.BatchNorm, ub.LayerNorm])
def test_the_arrays_of_a_normalisation_must_be_of_one_size(backend_name, layer):
    state = ub.state(ub.build(layer(), (2, 3)))
    last = list(state)[-1]
    state[last] = np.ones(7, "float32")
    with pytest.raises(ub.StateMismatchError, match=rf"{last} of shape \(7,\), where weight has"):
        ub.load_state(layer(), state)


def test_order_takes_lazy_layers_of_unknown_size(backend_name):
    source = ub.load_state(unbuilt(backend_name, "Conv"), {**GIVEN, "1.weight": normal(8, 5, 3, 2)})
    target = unbuilt(backend_name, "Conv")
    assert ub.diff_state(ub.transfer(source, target, match="order"), source).equal
    wrong, unmade = (
        {**ub.state(source), "1.weight": normal(8, 5, 3, 3)},
        unbuilt(backend_name, "Conv"),
    )
    with pytest.raises(ub.StateMismatchError, match=r"not \(8, any, 3, 2\)"):
        ub.transfer(wrong, unmade, match="order")


# frozen


def test_a_parameter_that_is_frozen_later_is_not_trained_any_more(backend_name, backend):
    net = ub.initialize(ub.build(ub.MLP(5, 3), (2, 4)))
    trainer = ub.Trainer(net, ub.SGD(0.1), "sum")
    trainer.step(normal(2, 4))
    next(v for v in backend.variables(net) if v.name == "out.weight").freeze()
    before = ub.state(net)
    trainer.step(normal(2, 4))
    differing = [row.name for row in ub.diff_state(before, net).rows if not row.equal]
    assert sorted(differing) == ["hidden.bias", "hidden.weight", "out.bias"]


@pytest.mark.parametrize("how", [lambda n: ub.to_device(n, "cpu"), lambda n: ub.cast(n, "float64")])
def test_a_frozen_parameter_is_frozen_in_a_copy(backend_name, backend, how):
    net = ub.build(ub.MLP(5, 3), (2, 4))
    next(v for v in backend.variables(net) if v.name == "out.weight").freeze()
    assert [v.name for v in backend.variables(how(net)) if not v.trainable] == ["out.weight"]


# copies


def test_numbers_are_seen_where_they_are(backend_name, backend):
    """A view is the framework's own memory; a state is not, and stays as it was."""
    net = ub.build(ub.LayerNorm(), (2, 5))
    variable = backend.variables(net)[0]
    views, state = [variable.view() for _ in range(2)], ub.state(net)["weight"]
    first, second = (view.__array_interface__["data"][0] for view in views)
    assert first == second
    assert state.__array_interface__["data"][0] != first
    variable.write(state + 1)
    np.testing.assert_array_equal(variable.view(), state + 1)
