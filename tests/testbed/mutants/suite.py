"""What the suite holds the library to where there is no layer that `ub.compare` could name."""

import numpy as np

import unified_blocks as ub
from testbed.common import normal


def net_of(*makes):
    with ub.use_dtype("float64"):
        net = ub.build(ub.MySequential(*(make() for make in makes)), (5, 6))
    return ub.initialize(net, 1, "torch_default")


def dense(units):
    return lambda: ub.Dense(units)


def initialize_draws_by_name(backend_name):
    """By hand, from the text of `ub.initialize`."""
    net = net_of(dense(4), dense(3))
    generator = np.random.Generator(np.random.PCG64(1))
    for name, fan_in in (("0.bias", 6), ("0.weight", 6), ("1.bias", 4), ("1.weight", 4)):
        array = ub.state(net)[name]
        drawn = generator.uniform(-1 / np.sqrt(fan_in), 1 / np.sqrt(fan_in), array.shape)
        np.testing.assert_array_equal(array, drawn, err_msg=name)


def a_state_is_a_copy(backend_name):
    net = net_of(dense(4))
    before = {name: array.copy() for name, array in ub.state(net).items()}
    for array in ub.state(net).values():
        array[...] = 7
    for name, array in ub.state(net).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


def an_array_is_a_copy(backend_name):
    tensor = ub.from_numpy(np.ones(3))
    ub.to_numpy(tensor, copy=True)[...] = 7
    np.testing.assert_array_equal(ub.to_numpy(tensor), np.ones(3))


def a_tensor_keeps_its_dtype(backend_name):
    for dtype in ("float64", "float32", "int64"):
        assert ub.to_numpy(ub.from_numpy(np.ones(3, dtype), copy=True)).dtype == dtype


def problem():
    return normal(10, 6, dtype="float64"), normal(10, 3, dtype="float64", seed=1)


def fit_sees_every_sample(backend_name):
    """With a rate of next to nothing the loss of an epoch is that of all samples."""
    net, (x, y) = net_of(dense(3)), problem()
    wanted = ub.evaluate(net, x, y, loss="mse")["loss"]
    history = ub.fit(net, x, y, optimizer=ub.SGD(1e-30), loss="mse", epochs=1, batch_size=4)
    np.testing.assert_allclose(history.loss, [wanted], rtol=1e-12)


def weights_make_a_mean(backend_name):
    """`Σ wᵢ lᵢ / Σ wᵢ` of labels, and of one-hot targets, and of all samples of an epoch."""
    (x, _), y, w = problem(), np.arange(10) % 3, np.arange(1.0, 11)
    for targets in (y, np.eye(3)[y]):
        net = net_of(dense(3))
        output = ub.predict(net, x)
        losses = np.log(np.exp(output).sum(1)) - output[np.arange(10), y]
        found = ub.Trainer(net, ub.SGD(1e-30), "cross_entropy").step(x, targets, w)
        np.testing.assert_allclose(ub.to_numpy(found), (losses * w).sum() / w.sum(), rtol=1e-12)
    options = {"optimizer": ub.SGD(1e-30), "loss": "cross_entropy"}
    given = [(x[:4], y[:4], w[:4]), (x[4:], y[4:], w[4:])]
    for data in ((x, y), (given,)):
        more = {"sample_weight": w, "batch_size": 4} if len(data) > 1 else {}
        history = ub.fit(net, *data, **options, **more)
        np.testing.assert_allclose(history.loss, [(losses * w).sum() / w.sum()], rtol=1e-12)


def an_epoch_keeps_the_partial_batch(backend_name):
    trainer = ub.Trainer(net_of(dense(3)), ub.SGD(0.125), "mse")
    assert len(trainer.epoch(*problem(), np.arange(10), batch_size=4)) == 3
    assert ub.state(trainer)["optimizer.step"] == 3


def fit_shuffles_by_its_seed(backend_name):
    """The same path as a trainer that is given the batches in the order of the seed."""
    net, twin = net_of(dense(3)), net_of(dense(3))
    x, y = problem()
    ub.fit(net, x, y, optimizer=ub.SGD(0.125), loss="mse", epochs=2, batch_size=4, seed=3)
    trainer = ub.Trainer(twin, ub.SGD(0.125), "mse")
    generator = np.random.Generator(np.random.PCG64(3))
    for _ in range(2):
        order = generator.permutation(len(x))
        for i in range(0, len(x), 4):
            trainer.step(x[order[i : i + 4]], y[order[i : i + 4]])
    for name, array in ub.state(net).items():
        np.testing.assert_allclose(array, ub.state(twin)[name], rtol=1e-12, err_msg=name)


def evaluate_infers(backend_name):
    net, (x, y) = net_of(lambda: ub.Dropout(0.5), dense(3)), problem()
    weight, bias = ub.state(net)["1.weight"], ub.state(net)["1.bias"]
    wanted = np.mean((x @ weight.T + bias - y) ** 2)
    np.testing.assert_allclose(ub.evaluate(net, x, y, loss="mse")["loss"], wanted, rtol=1e-12)


def hyper_parameters_are_rounded(backend_name):
    assert ub.AdamW(0.1).rounded().learning_rate == float(np.float32(0.1))


def sparse_gradients_update_all_rows(backend_name):
    """A row that was looked up has a velocity, by which it moves on when it is not."""
    from unified_blocks_mxnet.compat import mx

    net = mx.gluon.nn.Embedding(4, 2, sparse_grad=True, dtype="float64")
    net.initialize()
    trainer = ub.Trainer(net, ub.SGD(0.125, momentum=0.5), "sum")
    before = ub.state(net)["weight"]
    for word in (0, 1):
        trainer.step(np.array([[word]]))
    moved = before - ub.state(net)["weight"]
    np.testing.assert_allclose(moved[:, 0], [0.125 * 1.5, 0.125, 0, 0], rtol=1e-12, atol=1e-15)
