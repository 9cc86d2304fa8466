"""Transfers by order between models that tie an embedding and a head, and models that do not."""

import numpy as np
import pytest

import unified_blocks as ub

FRAMEWORKS = [name for name in ("torch", "mxnet") if name in ub.available_backends()]
NAMES = ("emb", "mid", "head")
OTHER = ("a", "b", "c")
X = np.array([[1, 2, 6], [3, 4, 0]])
pytestmark = pytest.mark.skipif(not FRAMEWORKS, reason="it needs PyTorch or MXNet")


def language_model(backend_name, tied, names=NAMES, bias=True):
    """A native one, whose head is a layer of its own."""
    table, middle, head = names
    if backend_name == "torch":
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = nn.ModuleDict()
                self.layers[table], self.layers[middle] = nn.Embedding(7, 5), nn.Linear(5, 5)
                self.layers[head] = nn.Linear(5, 7, bias=bias)
                if tied:
                    self.layers[head].weight = self.layers[table].weight

            def forward(self, X):
                for layer in self.layers.values():
                    X = layer(X)
                return X

        return Net()
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    class Net(mx.gluon.Block):
        def __init__(self):
            super().__init__()
            emb = mx.gluon.nn.Embedding(7, 5)
            dense = {"in_units": 5, "flatten": False}
            setattr(self, table, emb)
            setattr(self, middle, mx.gluon.nn.Dense(5, **dense))
            given = {"use_bias": bias, **({"params": emb.params} if tied else {})}
            setattr(self, head, mx.gluon.nn.Dense(7, **dense, **given))

        def forward(self, X):
            for name in names:
                X = getattr(self, name)(X)
            return X

    with numpy_semantics():
        net = Net()
        net.initialize()
    return net


def numbers_of(net):
    """What the embedding and the head hold, each under its own name."""
    state = ub.state(net)
    table, *_, head = [name for name in state if name.endswith("weight")]
    return state[table], state[head]


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("bias", [False, True], ids=["of nothing else", "with a bias"])
@pytest.mark.parametrize("names", [NAMES, OTHER])
@pytest.mark.parametrize("target", FRAMEWORKS)
@pytest.mark.parametrize("source", FRAMEWORKS)
def test_a_tied_source_fills_a_target_that_is_not(source, target, names, bias, partial):
    a, b = language_model(source, True, bias=bias), language_model(target, False, names, bias)
    assert len(ub.state(b)) == len(ub.state(a)) + 1
    ub.transfer(a, b, match="order", partial=partial)
    table, head = numbers_of(b)
    np.testing.assert_array_equal(table, head)
    found = ub.compare(a, b, X, match="order")
    assert all(row.ok for row in found.rows)
    assert {row.what for row in found.rows} == {"parameter", "call", "output"}
    assert found.cause == "shared_layer_duplicated"  # they train otherwise
    assert ub.compare(b, a, X, match="order").cause == "layers_shared"


@pytest.mark.parametrize("target", FRAMEWORKS)
@pytest.mark.parametrize("source", FRAMEWORKS)
def test_one_that_is_not_fills_a_tied_target_if_its_numbers_are_the_same(source, target):
    a, b = language_model(source, False), language_model(target, True, OTHER)
    with pytest.raises(ub.StateMismatchError, match=r"other numbers for (layers\.)?c\.weight"):
        ub.transfer(a, b, match="order")
    ub.transfer(language_model(source, True), a, match="order")
    ub.transfer(a, b, match="order")
    np.testing.assert_array_equal(numbers_of(a)[0], numbers_of(b)[0])


@pytest.mark.parametrize("target", FRAMEWORKS)
@pytest.mark.parametrize("source", FRAMEWORKS)
def test_two_tied_models_are_the_same(source, target):
    a, b = language_model(source, True), language_model(target, True, OTHER)
    ub.transfer(a, b, match="order")
    assert ub.compare(a, b, X, match="order")


@pytest.mark.parametrize("source", FRAMEWORKS)
def test_a_state_says_nothing_of_its_layers(source):
    a, b = language_model(source, True), language_model(source, False, OTHER)
    with pytest.raises(
        ub.StateMismatchError, match=r"order, and nothing was loaded; got arrays|got "
    ):
        ub.transfer(ub.state(a), b, match="order")
    assert not np.array_equal(*numbers_of(b))


@pytest.mark.parametrize("source", FRAMEWORKS)
def test_another_layer_between_is_still_refused(source):
    a, b = language_model(source, True), language_model(source, False, OTHER)
    if source == "torch":
        from torch import nn

        b.layers["d"] = nn.Linear(7, 2)
    else:
        from unified_blocks_mxnet.compat import mx

        b.d = mx.gluon.nn.Dense(2, in_units=7)
        b.d.initialize()
    with pytest.raises(ub.StateMismatchError, match="3 layers that hold parameters, not 4"):
        ub.transfer(a, b, match="order")
