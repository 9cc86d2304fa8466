"""Transfers between layers of other kinds, shared arrays, fixed weights; large comparisons."""

from pathlib import Path

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.models import native_net
from unified_blocks.formats.stored import StateFile, Stored

OTHERS = ub.available_backends()
SHAPE = (3, 4)


def fixed_net():
    """A Gluon net whose batch norm computes with 1 in place of its weight."""
    pytest.importorskip("mxnet", exc_type=(ImportError, AttributeError))
    return native_net("mxnet", scale=False)


@pytest.mark.parametrize("other", OTHERS)
def test_a_weight_that_would_be_ignored_is_an_error(other):
    source = ub.build(native_net(other), SHAPE)
    state = ub.state(source)
    state["norm.weight"] = state["norm.weight"] * 2
    ub.load_state(source, state)
    target = fixed_net()
    before = ub.state(target)
    with pytest.raises(
        ub.StateMismatchError,
        match=r"norm\.weight: it must be 1 there, because Gluon's scale=False computes with 1",
    ):
        ub.transfer(source, target)
    assert ub.diff_state(before, target).equal
    state["norm.weight"][:] = 1
    assert ub.diff_state(ub.transfer(ub.load_state(source, state), target), source).equal


def test_order_passes_over_a_weight_that_is_not_used(backend_name):
    if backend_name != "tensorflow":
        pytest.skip(f"on {backend_name} scale=False is not without a weight")
    keras_net = ub.build(native_net("tensorflow", scale=False), SHAPE)
    gluon_net = fixed_net()
    assert ub.diff_state(ub.transfer(gluon_net, keras_net, match="order"), gluon_net).equal
    ub.initialize(keras_net, 3)
    difference = ub.diff_state(ub.transfer(keras_net, gluon_net, match="order"), keras_net)
    assert difference.equal
    assert str(difference).endswith("all equal; one lacks norm.weight, which is optional")


@pytest.mark.parametrize("scale", [True, False])
def test_a_gluon_net_that_was_not_initialised_is_made(scale):
    pytest.importorskip("mxnet", exc_type=(ImportError, AttributeError))
    source = ub.build(native_net("mxnet", scale), SHAPE)
    target = native_net("mxnet", scale)
    for parameter in target.collect_params().values():
        parameter._data, parameter._grad, parameter._deferred_init = None, None, ()
    with pytest.raises(ub.NotBuiltError):
        ub.state(target)
    assert ub.diff_state(ub.transfer(source, target), source).equal
    ub.build(target, SHAPE)


@pytest.mark.parametrize("other", OTHERS)
def test_models_are_equal_though_one_counts_batches(backend_name, other):
    source, target = (ub.build(native_net(name), SHAPE) for name in (backend_name, other))
    assert ub.diff_state(source, ub.transfer(source, target)).equal
    assert ub.diff_state(target, source).equal


# kinds


def one_layer(backend_name, kind):
    """A convolution or its transpose, 4 to 4; an embedding or a dense layer, square."""
    if backend_name == "torch":
        from torch import nn

        return {
            "Conv2D": lambda: nn.Conv2d(4, 4, 3),
            "Conv2DTranspose": lambda: nn.ConvTranspose2d(4, 4, 3),
            "Embedding": lambda: nn.Embedding(4, 4),
            "Dense": lambda: nn.Linear(4, 4, bias=False),
        }[kind]()
    if backend_name == "tensorflow":
        import keras

        made = {
            "Conv2D": lambda: keras.layers.Conv2D(4, 3),
            "Conv2DTranspose": lambda: keras.layers.Conv2DTranspose(4, 3),
            "Embedding": lambda: keras.layers.Embedding(4, 4),
            "Dense": lambda: keras.layers.Dense(4, use_bias=False),
        }[kind]()
        made.build((None, 7, 7, 4) if "Conv" in kind else (None, 4))
        return made
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    nn = mx.gluon.nn
    with numpy_semantics():
        made = {
            "Conv2D": lambda: nn.Conv2D(4, 3, in_channels=4),
            "Conv2DTranspose": lambda: nn.Conv2DTranspose(4, 3, in_channels=4),
            "Embedding": lambda: nn.Embedding(4, 4),
            "Dense": lambda: nn.Dense(4, use_bias=False, in_units=4),
        }[kind]()
        made.initialize()
    return made


PAIRS = [("Conv2DTranspose", "Conv2D"), ("Embedding", "Dense"), ("Dense", "Embedding")]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(("kind", "wanted"), PAIRS)
def test_a_layer_of_another_kind_is_an_error(backend_name, other, kind, wanted):
    source = one_layer(backend_name, kind)
    with pytest.raises(ub.StateMismatchError, match=rf"weight of a {kind}, not of a {wanted}(;|$)"):
        ub.transfer(source, one_layer(other, wanted))
    for target in (one_layer(other, kind), ub.state(source)):
        if not isinstance(target, dict):
            assert ub.diff_state(ub.transfer(source, target), source).equal
    ub.load_state(one_layer(other, wanted), ub.state(source))  # arrays tell no kind


class Mine(ub.Block):
    """A block with an array of its own."""

    def __init__(self):
        super().__init__()
        self.weight = ub.Constant(np.ones((4, 4), "float32"))

    def forward(self, X):
        return X @ self.weight


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("kind", ["Dense", "Embedding"])
def test_the_name_of_a_class_of_someone_else_is_not_a_kind(backend_name, other, kind):
    ub.transfer(Mine(), one_layer(other, kind))
    ub.transfer(one_layer(other, kind), Mine())


class Tied(ub.Block):
    """A dense layer under two names."""

    def __init__(self, one, two):
        super().__init__()
        layer = ub.Dense(4)
        for name in (one, two):
            setattr(self, name, layer)

    def forward(self, X):
        return X


@pytest.mark.parametrize(
    "rename",
    [{"two": "b"}, {"one": "a", "two": "b"}, {"two.weight": "b.weight", "one.bias": "a.bias"}],
)
def test_a_shared_array_may_be_renamed_under_any_of_its_names(backend_name, rename):
    state = {"weight": normal(4, 4), "bias": normal(4)}
    source, target = Tied("one", "two"), Tied("a", "b")
    ub.load_state(source, {f"one.{name}": array for name, array in state.items()})
    ub.transfer(source, target, rename=rename)
    np.testing.assert_array_equal(ub.state(target)["a.weight"], state["weight"])


def test_an_embedding_and_a_dense_layer_of_one_table_are_of_both_kinds():
    nn = pytest.importorskip("torch").nn
    nets = [nn.ModuleDict({"emb": nn.Embedding(4, 4), "out": nn.Linear(4, 4)}) for _ in range(2)]
    for net in nets:
        net["out"].weight = net["emb"].weight
    source, target = nets
    assert ub.diff_state(ub.transfer(source, target), source).equal
    assert ub.diff_state(ub.transfer(source, target, match="order"), source).equal
    ub.transfer(source, nn.Linear(4, 4), rename={"emb.weight": "weight", "out.bias": "bias"})


# files


def file_of(state, ordered=True, **roles):
    stored = [
        Stored(name, a.shape, str(a.dtype), lambda a=a: a, roles.get(name))
        for name, a in state.items()
    ]
    file = StateFile.of(Path("net.bin"), "of a test", stored)
    object.__setattr__(file, "ordered", ordered)
    return file


def test_order_refuses_a_file_of_another_order(backend_name):
    net = ub.build(ub.Dense(3), SHAPE)
    state = ub.state(net)
    with pytest.raises(ub.StateMismatchError, match=r"got net\.bin, whose order is another: use"):
        ub.transfer(file_of(state, ordered=False), net, match="order")
    ub.transfer(file_of(state, ordered=False), net)
    ub.transfer(file_of(state), net, match="order")


@pytest.mark.parametrize("match", ["name", "order"])
def test_what_a_file_holds_of_an_optimizer_is_left_out(backend_name, match):
    net = ub.build(ub.Dense(3), SHAPE)
    file = file_of({**ub.state(net), "velocity": normal(2)}, velocity="optimizer")
    ub.transfer(file, net, match=match)
    ub.load_state(net, file)


def test_a_model_into_itself_under_other_names(backend_name):
    net = ub.build(ub.MySequential(ub.Dense(4), ub.Dense(4)), SHAPE)
    state = ub.state(ub.initialize(net, 1))
    ub.transfer(net, net, rename={"0": "1", "1": "0"})
    np.testing.assert_array_equal(ub.state(net)["0.weight"], state["1.weight"])
    np.testing.assert_array_equal(ub.state(net)["1.weight"], state["0.weight"])


# comparing


@pytest.mark.parametrize("at", [0, 2**17, 300_000])
def test_a_difference_anywhere_in_a_large_array_is_found(at):
    a = np.zeros(300_001, "float32")
    b = a.copy()
    b[at] = -0.5
    (row,) = ub.diff_state({"x": a}, {"x": b}).rows
    assert (row.equal, row.largest) == (False, 0.5)


def test_the_difference_of_complex_arrays_is_the_distance():
    a = np.array([1 + 1j, 2])
    (row,) = ub.diff_state({"x": a}, {"x": a + np.array([3 + 4j, 0])}).rows
    assert row.largest == 5


def test_arrays_of_other_dtypes_are_not_equal():
    (row,) = ub.diff_state({"x": np.zeros(3)}, {"x": np.zeros(3, "float32")}).rows
    assert (row.equal, row.largest) == (False, 0)
    (row,) = ub.diff_state({"x": np.zeros(0)}, {"x": np.zeros(0, "float32")}).rows
    assert not row.equal
    (row,) = ub.diff_state({"x": np.array(0.0)}, {"x": np.array(-0.0)}).rows
    assert (row.equal, row.largest) == (False, 0)
