"""Which kind of arrays a Gluon net is for: found by what it holds, or else by a call."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from unified_blocks import ops

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from unified_blocks_mxnet.compat import mx, nn, numpy_semantics

IMAGES = (2, 3, 8, 8)


@pytest.fixture(autouse=True)
def on_mxnet():
    with ub.use_backend("mxnet"):
        yield


def initialized(net):
    net.initialize()
    return net


def kinds(net):
    return {type(p.data()) for p in net.collect_params().values()}


def images():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3), nn.BatchNorm(), nn.Activation("relu"), nn.Flatten(), nn.Dense(5))
    return net


@mx.util.use_np
class Decorated(mx.gluon.HybridBlock):
    def __init__(self):
        super().__init__()
        self.dense = nn.Dense(3)

    def hybrid_forward(self, F, X):
        return F.npx.relu(self.dense(X))


class Undecorated(mx.gluon.HybridBlock):
    """Nothing tells its kind before it is called."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Dense(3, use_bias=False)  # a bias would be an array already
        self.fails = False

    def hybrid_forward(self, F, X):
        if self.fails:
            raise RuntimeError(f"on purpose, of {self.dense(X).shape}")
        return F.npx.relu(self.dense(X))


@pytest.mark.parametrize("hybridized", [False, True])
@pytest.mark.parametrize("make", [Decorated, Undecorated])
def test_a_net_for_numpy_arrays_is_run_so_wherever_it_is_built(make, hybridized):
    net = initialized(make())
    if hybridized:
        net.hybridize()
    ub.build(net, (2, 4))
    assert kinds(net) == {mx.np.ndarray}
    with numpy_semantics():
        assert net(ub.from_numpy(normal(2, 4))).shape == (2, 3)


def test_a_net_of_either_kind_becomes_what_the_thread_is_set_to():
    net = ub.build(initialized(nn.Dense(3)), (2, 4))
    assert kinds(net) == {mx.nd.NDArray}
    with numpy_semantics():
        net = ub.build(initialized(nn.Dense(3)), (2, 4))
    assert kinds(net) == {mx.np.ndarray}


def test_a_call_that_fails_leaves_a_net_as_it_was():
    net = initialized(Undecorated())
    net.fails = True
    with pytest.raises(RuntimeError, match=r"on purpose, of \(2, 3\)"):
        ub.build(net, (2, 4))
    net.fails = False
    assert all(p._data is None for p in net.collect_params().values())
    assert kinds(ub.build(net, (2, 4))) == {mx.np.ndarray}


def test_a_net_without_parameters():
    net = nn.HybridLambda(lambda F, X: F.clip(X, 0, 1))
    x = normal(2, 3)
    assert ub.compare(net, net, x).ok
    fast = ub.compile(net, x)
    np.testing.assert_array_equal(ub.to_numpy(fast(ub.from_numpy(x))), x.clip(0, 1))


def test_a_legacy_net_that_holds_a_block_of_this_library():
    net = nn.HybridSequential()
    net.add(nn.Dense(4, use_bias=False), ub.MLP(3, 2))
    net.initialize()
    ub.build(net, (2, 5))  # nothing tells of the dense layer, so it is for NumPy arrays
    assert kinds(net) == {mx.np.ndarray}
    mixed = nn.HybridSequential()
    mixed.add(nn.Conv2D(2, 3), nn.Flatten(), ub.MLP(3, 2))
    mixed.initialize()
    message = r"got 0 \(Conv2D\) without and 2 \(MLP\) with them: call mxnet\.npx\.set_np\(\)"
    with pytest.raises(ub.UnsupportedError, match=message):
        ub.build(mixed, IMAGES)


def test_a_block_of_this_library_that_holds_a_legacy_net():
    class Around(ub.Block):
        def __init__(self, body):
            super().__init__()
            self.body = body

        def forward(self, X):
            return ops.relu(self.body(X))

    legacy = ub.build(initialized(images()), IMAGES)
    message = r"got body\.0 \(Conv2D\) without and the net itself \(Around\) with them"
    with pytest.raises(ub.UnsupportedError, match=message):
        Around(legacy)(ub.from_numpy(normal(*IMAGES)))
    with pytest.raises(ub.UnsupportedError, match=message):
        ub.value_and_grad(Around(legacy), normal(*IMAGES), loss="sum")


ZOO = {
    "squeezenet1_1": 224,
    "mobilenet_v2_0_25": 32,
    "densenet121": 224,
    "inception_v3": 299,
    "resnet18_v2": 32,
}


@pytest.mark.parametrize("name", ZOO)
def test_networks_of_the_zoo(name):
    net = initialized(getattr(mx.gluon.model_zoo.vision, name)())
    x = normal(1, 3, ZOO[name], ZOO[name])
    ub.build(net, x.shape)
    output = net(mx.nd.array(x)).asnumpy()
    assert ub.compare(net, net, x, mode="compiled").ok
    value, gradients = ub.value_and_grad(net, x, loss="mean")
    np.testing.assert_allclose(value, output.mean(), rtol=1e-3, atol=1e-6)
    assert all(np.isfinite(g).all() for g in gradients.values())
