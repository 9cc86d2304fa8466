"""Gluon networks that were made without NumPy semantics, as nearly all were, are native models."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from unified_blocks import ops

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from unified_blocks_mxnet.compat import mx, nn, numpy_semantics

IMAGES = (2, 3, 8, 8)
SEQUENCES = (5, 2, 3)
LABELS = np.array([1, 2])


@pytest.fixture(autouse=True)
def on_mxnet():
    with ub.use_backend("mxnet"):
        yield


def images(*, dropout=True):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3), nn.BatchNorm(), nn.Activation("relu"), nn.GlobalAvgPool2D())
    net.add(nn.Flatten(), nn.Dense(5))
    if dropout:
        net.add(nn.Dropout(0.5))
    return net


class ByHand(mx.gluon.HybridBlock):
    """With operations that MXNet has for legacy arrays only."""

    def __init__(self, **options):
        super().__init__(**options)
        with self.name_scope():
            self.conv = nn.Conv2D(4, 3)
            self.scale = self.params.get("scale", shape=(1,), init="ones")
            self.dense = nn.Dense(5)

    def hybrid_forward(self, F, X, scale):
        Y = F.clip(self.conv(X), -0.5, 0.5)
        Y = F.concat(Y, F.relu(Y), dim=1)
        return self.dense(F.broadcast_mul(Y, scale.reshape((1, 1, 1, 1))))


class Recurrent(mx.gluon.HybridBlock):
    def __init__(self, **options):
        super().__init__(**options)
        with self.name_scope():
            self.body = mx.gluon.rnn.LSTM(4)
            self.out = nn.Dense(5)

    def hybrid_forward(self, F, X):
        return self.out(F.mean(self.body(X), axis=0))


class Plain(mx.gluon.Block):
    """With Python's control flow, which no graph has."""

    def __init__(self, **options):
        super().__init__(**options)
        with self.name_scope():
            self.body = nn.Dense(4)
            self.out = nn.Dense(5)

    def forward(self, X):
        Y = self.body(X)
        while Y.abs().sum().asscalar() > 1:
            Y = Y / 2
        return self.out(Y)


NETS = {
    "images": (lambda: images(dropout=False), IMAGES),
    "by hand": (ByHand, IMAGES),
    "recurrent": (Recurrent, SEQUENCES),
    "plain": (Plain, (2, 3)),
}
"""What makes a net, and the shape of its inputs."""


@pytest.fixture(params=NETS)
def made(request):
    """A net that is initialised, natively, and an input."""
    make, shape = NETS[request.param]
    net = make()
    net.initialize(mx.init.Xavier())
    return net, normal(*shape)


@pytest.fixture
def built(made):
    return ub.build(made[0], made[1].shape), made[1]


def natively(net, x):
    return net(mx.nd.array(x)).asnumpy()


def kinds(net):
    return {type(p.data()) for p in net.collect_params().values()}


def twin(net, x):
    """Another net of the same class with the same numbers."""
    other = next(make for make, _ in NETS.values() if type(make()) is type(net))()
    other.initialize()
    return ub.transfer(net, ub.build(other, x.shape))


def test_it_is_built_as_its_first_call_would(built):
    net, x = built
    assert kinds(net) == {mx.nd.NDArray}
    assert {type(p._grad[0]) for p in net.collect_params().values() if p._grad} == {mx.nd.NDArray}
    assert natively(net, x).shape[1] == 5
    assert not mx.util.is_np_array()


def test_it_is_built_under_numpy_semantics_too(made):
    net, x = made
    with numpy_semantics():
        if not isinstance(net, Plain):  # which may be either
            ub.build(net, x.shape)
    ub.build(net, x.shape)
    assert natively(net, x).shape[1] == 5


def test_a_state_makes_what_does_not_exist_yet(built):
    net, x = built
    other = type(net)() if not isinstance(net, nn.HybridSequential) else images(dropout=False)
    ub.load_state(other, ub.state(net))
    np.testing.assert_array_equal(natively(other, x), natively(net, x))


@pytest.mark.parametrize("mode", ["forward", "train", "gradient", "training"])
def test_it_is_compared(built, mode):
    net, x = built
    other = twin(net, x)
    if isinstance(net, mx.gluon.HybridBlock):
        assert ub.compare(net, other, x, mode="compiled").ok
    found = ub.compare(net, other, x, mode=mode)
    assert found.ok, str(found)
    assert len([row for row in found.rows if row.what == "call"]) > 2


def test_it_is_compared_when_it_is_hybridized(built):
    net, x = built
    other = twin(net, x)
    other.hybridize()
    found = ub.compare(net, other, x)
    assert found.ok, str(found)
    natively(other, x)
    assert ub.compare(other, net, x).ok


def test_the_layer_that_differs_from_its_twin_on_pytorch_is_found():
    torch = pytest.importorskip("torch")
    net, x = ub.build(initialized(images()), IMAGES), normal(*IMAGES)
    layers = [torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU()]
    layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 5)]
    twin = ub.transfer(net, torch.nn.Sequential(*layers)).eval()
    for mode in ("forward", "gradient"):
        found = ub.compare(net, twin, x, mode=mode)
        assert found.ok, str(found)
    twin[1].eps = 0.1
    found = ub.compare(net, twin, x)
    assert found.first_difference.name == "1"
    assert found.cause.startswith("epsilon")


def by_hand(net, x, loss, train=False):
    """The loss and the gradients as `autograd` gives them."""
    x = mx.nd.array(x)
    x.attach_grad()
    with mx.autograd.record(train_mode=train):
        value = loss(net(x), mx.nd.array(LABELS)).mean()
    value.backward(train_mode=train)
    return value.asscalar(), {v.name: v.parameter for v in variables(net)}, x.grad.asnumpy()


def variables(net):
    return [v for v in ub.backend_of(net).variables(net) if v.trainable]


@pytest.mark.parametrize("hybridized", [False, True])
@pytest.mark.parametrize("given", ["cross_entropy", "gluon", "legacy"])
@pytest.mark.parametrize("kind", ["NumPy", "mx.np", "mx.nd"])
def test_gradients_are_those_of_autograd(built, given, hybridized, kind):
    net, x = built
    if hybridized:
        net.hybridize()
    softmax = mx.gluon.loss.SoftmaxCrossEntropyLoss()
    losses = {
        "cross_entropy": "cross_entropy",
        "gluon": lambda output, y: softmax(output, y).mean(),
        "legacy": lambda output, y: -mx.nd.pick(mx.nd.log_softmax(output), y).mean(),
    }
    inputs, labels = x, LABELS
    if kind != "NumPy":
        inputs, labels = ub.from_numpy(x), ub.from_numpy(LABELS)
    if kind == "mx.nd":
        inputs, labels = inputs.as_nd_ndarray(), labels.as_nd_ndarray()
    value, found = ub.value_and_grad(net, inputs, labels, loss=losses[given], wrt="both")
    expected, parameters, dx = by_hand(net, x, softmax)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(found.pop("x"), dx, rtol=1e-4, atol=1e-6)
    assert found.keys() == parameters.keys()
    for name, gradient in found.items():
        wanted = parameters[name].grad().asnumpy()
        np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=1e-6)


def test_a_loss_that_is_wrong_both_ways_says_so_as_it_was_given(built):
    net, x = built
    with pytest.raises(AttributeError, match="no_such"):
        ub.value_and_grad(net, x, loss=lambda output: output.no_such())


def test_portable_losses_are_for_it_too(built):
    net, x = built
    value, _ = ub.value_and_grad(net, x, loss=lambda output: ops.sum(ops.square(output)))
    np.testing.assert_allclose(value, (natively(net, x) ** 2).sum(), rtol=1e-5)


@pytest.mark.parametrize("optimizer", [ub.SGD(0.125, 0.875), ub.Adam(0.01)])
def test_training_takes_the_steps_of_gluons_trainer(built, optimizer):
    net, x = built
    other = twin(net, x)
    trainer = ub.Trainer(net, optimizer, "cross_entropy")
    losses = [ub.to_numpy(trainer.step(x, LABELS)) for _ in range(5)]
    assert {loss.shape for loss in losses} == {()}
    name = {"learning_rate": optimizer.learning_rate}
    if isinstance(optimizer, ub.SGD):
        native = mx.gluon.Trainer(other.collect_params(), "sgd", {**name, "momentum": 0.875})
    else:
        native = mx.gluon.Trainer(other.collect_params(), "adam", {**name, "epsilon": 1e-7})
    softmax = mx.gluon.loss.SoftmaxCrossEntropyLoss()
    for expected in losses:
        with mx.autograd.record():
            value = softmax(other(mx.nd.array(x)), mx.nd.array(LABELS)).mean()
        value.backward()
        native.step(1)
        np.testing.assert_allclose(value.asscalar(), expected, rtol=1e-3, atol=1e-5)
    assert kinds(net) == {mx.nd.NDArray}
    state = ub.state(trainer)
    resumed = ub.Trainer(other, optimizer, "cross_entropy")
    ub.load_state(resumed, state)
    ub.load_state(other, ub.state(net))
    np.testing.assert_allclose(
        ub.to_numpy(trainer.step(x, LABELS)), ub.to_numpy(resumed.step(x, LABELS)), rtol=1e-6
    )


@pytest.mark.parametrize("loss", ["cross_entropy", lambda o, y: mx.nd.mean(mx.nd.pick(o, y))])
def test_fit(built, loss):
    net, x = built
    if isinstance(net, Recurrent):
        pytest.skip("its batches are the second axis")
    history = ub.fit(
        net, x, LABELS, loss=loss, optimizer=ub.SGD(0.05), epochs=3, validation=(x, LABELS)
    )
    assert history.loss[-1] < history.loss[0]
    assert len(history.validation_loss) == 3


def test_it_is_compiled(built):
    net, x = built
    for mode in ("measured", "native"):
        if isinstance(net, Plain) and mode == "native":
            with pytest.raises(ub.UnsupportedError, match="must be made of HybridBlocks"):
                ub.compile(net, mode=mode)
            continue
        fast = ub.compile(net, x, mode=mode)
        assert all(figure.obstacle is None for figure in fast.figures) or isinstance(net, Plain)
        for array in (mx.nd.array(x), ub.from_numpy(x)):
            found = fast(array)
            assert type(found) is type(array)
            np.testing.assert_allclose(found.asnumpy(), natively(net, x), rtol=1e-5, atol=1e-6)


def test_a_step_is_compiled(built):
    net, x = built
    step = ub.compile(ub.Trainer(net, ub.SGD(0.05), "cross_entropy"), (x, LABELS))
    assert all(figure.obstacle is None for figure in step.figures) or isinstance(net, Plain)
    before = float(step(x, LABELS).asnumpy())
    assert float(step(x, LABELS).asnumpy()) < before


def test_it_is_moved_and_cast(built):
    net, x = built
    expected = natively(net, x)
    assert ub.to_device(net, "cpu:1") is net
    assert kinds(net) == {mx.nd.NDArray}
    assert {type(p._grad[0]) for p in net.collect_params().values() if p._grad} == {mx.nd.NDArray}
    moved = net(mx.nd.array(x, ctx=mx.cpu(1)))
    np.testing.assert_allclose(moved.asnumpy(), expected, rtol=1e-6)
    ub.cast(ub.to_device(net, "cpu"), "float64")
    found = net(mx.nd.array(x, dtype="float64"))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-4, atol=1e-6)


def test_what_it_hides_is_found():
    net = nn.HybridSequential()
    net.add(nn.Dense(3))
    net.hidden = [nn.Dense(3)]
    assert "hidden is a list" in ub.check(net)[0]


def test_an_exported_net(tmp_path):
    net = ub.build(initialized(images()), IMAGES)
    x = normal(*IMAGES)
    net.hybridize()
    expected = natively(net, x)
    net.export(str(tmp_path / "net"))
    files = str(tmp_path / "net-symbol.json"), str(tmp_path / "net-0000.params")
    with pytest.warns(UserWarning, match="Cannot decide type"):
        loaded = mx.gluon.SymbolBlock.imports(files[0], ["data"], files[1])
    np.testing.assert_array_equal(natively(loaded, x), expected)
    assert loaded.collect_params().keys() == net.collect_params().keys()
    theirs = {v.parameter.name: v.name for v in ub.backend_of(net).variables(loaded)}
    rename = {v.name: theirs[v.parameter.name] for v in ub.backend_of(net).variables(net)}
    found = ub.compare(net, loaded, x, rename=rename)
    assert all(row.ok for row in found.rows if row.what == "output"), str(found)
    value, _ = ub.value_and_grad(loaded, x, LABELS, loss="cross_entropy")
    np.testing.assert_allclose(
        value, ub.value_and_grad(net, x, LABELS, loss="cross_entropy")[0], rtol=1e-6
    )


def initialized(net):
    net.initialize()
    return net
