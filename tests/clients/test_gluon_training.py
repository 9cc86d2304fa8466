"""Gluon's trainers and data loaders around a block, as around one written by hand."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from testbed.gluon_pairs import CLASSES, WIDTH, pair
from unified_blocks_mxnet.compat import mx

CPU = [mx.cpu()]
TWO = [mx.cpu(0), mx.cpu(1)]
X, Y = normal(24, WIDTH), np.arange(24) % CLASSES


@pytest.fixture(autouse=True)
def numpy_everywhere():
    mx.npx.set_np()
    yield
    mx.npx.reset_np()


def same(ours, native):
    assert ub.state(ours).keys() == ub.state(native).keys()
    for name, array in ub.state(native).items():
        np.testing.assert_allclose(ub.state(ours)[name], array, rtol=1e-5, atol=1e-6)


def trained(net, trainer, batches, contexts=CPU):
    """The losses of a loop as in Gluon's tutorials."""
    loss, values = mx.gluon.loss.SoftmaxCrossEntropyLoss(), []
    for x, y in batches:
        xs, ys = (mx.gluon.utils.split_and_load(a, list(contexts)) for a in (x, y))
        with mx.autograd.record():
            parts = [loss(net(x), y) for x, y in zip(xs, ys, strict=True)]
        mx.autograd.backward(parts)
        trainer.step(len(x))
        values.append(np.concatenate([part.asnumpy() for part in parts]).mean())
    return values


def batches(n=3):
    return [(mx.np.array(X), mx.np.array(Y))] * n


@pytest.mark.parametrize("hybridized", [False, True])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("kvstore", [None, "local", "device"])
def test_trainer(kvstore, optimizer, hybridized):
    losses, nets = [], pair()
    for net in nets:
        if hybridized:
            net.hybridize(static_alloc=True)
        trainer = mx.gluon.Trainer(
            net.collect_params(), optimizer, {"learning_rate": 0.05}, kvstore=kvstore
        )
        losses.append(trained(net, trainer, batches()))
    np.testing.assert_allclose(*losses, rtol=1e-5)
    assert losses[0][-1] < losses[0][0]
    same(*nets)


@pytest.mark.parametrize("update_on_kvstore", [False, True])
@pytest.mark.parametrize("kvstore", ["local", "device"])
def test_trainer_on_two_contexts(kvstore, update_on_kvstore):
    losses, nets = [], pair(TWO)
    for net in nets:
        trainer = mx.gluon.Trainer(
            net.collect_params(),
            "sgd",
            {"learning_rate": 0.05, "momentum": 0.875},
            kvstore=kvstore,
            update_on_kvstore=update_on_kvstore,
        )
        losses.append(trained(net, trainer, batches(), TWO))
    np.testing.assert_allclose(*losses, rtol=1e-5)
    assert losses[0][-1] < losses[0][0]
    same(*nets)


def test_states_of_a_trainer(tmp_path):
    nets, path = pair(), str(tmp_path / "trainer.states")
    for net in nets:
        trainer = mx.gluon.Trainer(net.collect_params(), "adam")
        trained(net, trainer, batches())
        trainer.save_states(path)
        again = mx.gluon.Trainer(net.collect_params(), "adam")
        again.load_states(path)
        trained(net, again, batches(1))
    same(*nets)


@pytest.mark.parametrize("workers", [0, 2])
def test_data_loader(workers):
    losses, nets = [], pair()
    for net in nets:
        data = mx.gluon.data.ArrayDataset(X, Y)
        loader = mx.gluon.data.DataLoader(data, batch_size=8, num_workers=workers, thread_pool=True)
        trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.05})
        losses.append(trained(net, trainer, loader))
    assert len(losses[0]) == 3
    np.testing.assert_allclose(*losses, rtol=1e-5)
    same(*nets)


def test_gradients_that_add_up_are_put_to_zero_and_are_left_out():
    found = []
    for net in pair():
        parameters = net.collect_params()
        parameters.setattr("grad_req", "add")
        for _ in range(2):
            with mx.autograd.record():
                value = net(mx.np.array(X)).sum()
            value.backward()
        found.append({v.name: v.parameter for v in ub.backend_of(net).variables(net)})
    ours, native = found
    names = [name for name, p in native.items() if p.grad_req != "null"]
    assert len(names) == 6
    for name in names:
        theirs = native[name].grad().asnumpy()
        np.testing.assert_allclose(ours[name].grad().asnumpy(), theirs, rtol=1e-5, atol=1e-5)
    for net in pair():
        net.collect_params().zero_grad()
        net.collect_params(".*weight").setattr("grad_req", "null")
        frozen = [v.name for v in ub.backend_of(net).variables(net) if not v.trainable]
        assert len(frozen) == 4 or len(frozen) == 5
