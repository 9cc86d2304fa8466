"""A block computes the bits of the layers that an engineer would write by hand."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal


def hand_written_torch():
    from torch import nn
    from torch.nn import functional as F

    class MLP(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(20, 256)
            self.out = nn.Linear(256, 10)

        def forward(self, X):
            return self.out(F.relu(self.hidden(X)))

    return MLP()


def hand_written_tensorflow():
    import keras

    class MLP(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = keras.layers.Dense(256, activation="relu")
            self.out = keras.layers.Dense(10)

        def call(self, X):
            return self.out(self.hidden(X))

    return MLP()


def hand_written_mxnet():
    from unified_blocks_mxnet.compat import mx

    nn = mx.gluon.nn

    class MLP(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Dense(256, activation="relu", flatten=False)
            self.out = nn.Dense(10, flatten=False)

        def hybrid_forward(self, F, X):
            return self.out(self.hidden(X))

    net = MLP()
    net.initialize()
    return net


@pytest.fixture
def numpy_semantics(backend_name):
    """Hand-written Gluon needs the user's own set_np()."""
    if backend_name != "mxnet":
        yield
        return
    from unified_blocks_mxnet.compat import mx

    mx.npx.set_np()
    yield
    mx.npx.reset_np()


@pytest.mark.parametrize("batch", [1, 2, 64])
def test_a_hand_written_mlp_and_ours_give_the_same_bits(backend_name, numpy_semantics, batch):
    theirs = globals()[f"hand_written_{backend_name}"]()
    ours = ub.MLP(256, 10)
    x = ub.from_numpy(normal(batch, 20))
    theirs(x)
    ub.load_state(ours, ub.state(theirs))
    assert ub.to_numpy(ours(x)).tobytes() == ub.to_numpy(theirs(x)).tobytes()


@pytest.mark.parametrize("batch", [1, 2, 64])
def test_gradients_too(backend_name, numpy_semantics, batch):
    theirs = globals()[f"hand_written_{backend_name}"]()
    ours = ub.MLP(256, 10)
    x, y = normal(batch, 20), np.arange(batch) % 10
    theirs(ub.from_numpy(x))
    ub.load_state(ours, ub.state(theirs))
    found = ub.value_and_grad(ours, x, y, loss="cross_entropy", wrt="both")
    expected = ub.value_and_grad(theirs, x, y, loss="cross_entropy", wrt="both")
    assert found[0] == expected[0]
    for name, gradient in expected[1].items():
        np.testing.assert_array_equal(found[1][name], gradient)
