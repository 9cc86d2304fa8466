"""What of a model does not exist yet is made by its first batch."""

import importlib

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.learning import problem

OPTIONS = {"loss": "cross_entropy", "optimizer": ub.SGD(0.125), "batch_size": 16}


def unbuilt():
    with ub.use_dtype("float64"):
        return ub.MySequential(ub.Dense(8), ub.BatchNorm(), ub.ReLU(), ub.Dense(4))


def native(backend_name):
    """A model written by hand that learns its widths from its input."""
    if backend_name == "torch":
        nn = importlib.import_module("torch.nn")
        net = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(4))
        return net.double()
    if backend_name == "tensorflow":
        keras = importlib.import_module("keras")
        layers = [keras.layers.Dense(n, activation=a) for n, a in ((8, "relu"), (4, None))]
        return keras.Sequential(layers)
    nn = importlib.import_module("mxnet.gluon.nn")
    net = nn.HybridSequential()
    net.add(nn.Dense(8, activation="relu"), nn.Dense(4))
    net.initialize()
    return net


def test_fit_builds_the_model(backend_name):
    (x, y), net = problem(), unbuilt()
    with pytest.raises(ub.NotBuiltError):
        ub.state(net)
    history = ub.fit(net, x, y, epochs=9, **OPTIONS)
    assert history.loss[-1] < history.loss[0]
    assert ub.state(net)["0.weight"].shape == (8, 6)


def test_the_first_batch_trains_nothing(backend_name):
    """It is run in inference mode: running statistics are those of the epoch, and no more."""
    (x, y), net, twin = problem(), unbuilt(), ub.build(unbuilt(), (2, 6))
    calls = []

    class First(ub.Callback):
        def begin(self, run):
            calls.append(ub.state(run.net))
            ub.load_state(run.net, ub.state(twin))

    ub.fit(net, x, y, callbacks=[First()], **OPTIONS)
    assert set(calls[0]) == set(ub.state(twin))
    np.testing.assert_array_equal(calls[0]["1.running_mean"], np.zeros(8))
    np.testing.assert_array_equal(calls[0]["1.running_var"], np.ones(8))
    ub.fit(twin, x, y, **OPTIONS)
    for name, array in ub.state(twin).items():
        np.testing.assert_allclose(ub.state(net)[name], array, rtol=1e-9, atol=1e-12)


def test_the_order_is_that_of_a_built_model(backend_name):
    (x, y), seen = problem(), []
    for net in (unbuilt(), ub.build(unbuilt(), (2, 6))):
        batches = []

        def loss(output, targets, batches=batches):
            batches.append(1)
            return ub.ops.cross_entropy(output, targets)

        ub.fit(net, x, y, epochs=2, **{**OPTIONS, "loss": loss})
        seen.append(len(batches))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("how", ["step", "epoch"])
def test_a_trainer_builds_the_model(backend_name, how):
    (x, y), net = problem(), unbuilt()
    trainer = ub.Trainer(net, ub.SGD(0.125, 0.5), "cross_entropy")
    with pytest.raises(ub.NotBuiltError, match=r"call ub\.build"):
        ub.state(trainer)
    trainer.learning_rate = 0.0625
    if how == "step":
        assert np.isfinite(float(ub.to_numpy(trainer.step(x, y))))
    else:
        assert np.isfinite(trainer.epoch(x, y, np.arange(40), 40)).all()
    state = ub.state(trainer)
    assert state["optimizer.step"] == 1
    assert state["optimizer.0.weight.velocity"].shape == (8, 6)
    assert trainer.device == "cpu"


def test_a_learning_rate_set_before_is_used(backend_name):
    (x, y), before = problem(), {}
    nets = [ub.MLP(8, 4) for _ in range(2)]
    for net, rates in zip(nets, ((0.5, 0.0625), (0.0625,)), strict=True):
        trainer = ub.Trainer(net, ub.SGD(rates[0]), "cross_entropy")
        trainer.learning_rate = rates[-1]
        ub.build(net, (2, 6))
        before = before or ub.state(net)
        ub.load_state(net, before)
        trainer.step(x.astype("float32"), y)
    assert ub.diff_state(ub.state(nets[0]), ub.state(nets[1])).equal


def test_a_model_by_hand_is_built_too(backend_name):
    x, y = problem("float64" if backend_name == "torch" else "float32")
    net = native(backend_name)
    history = ub.fit(net, x, y, epochs=9, **OPTIONS)
    assert history.loss[-1] < history.loss[0]
    trainer = ub.Trainer(native(backend_name), ub.SGD(0.125), "cross_entropy")
    first = float(ub.to_numpy(trainer.step(x, y)))
    assert float(ub.to_numpy(trainer.step(x, y))) < first


class Added(ub.Block):
    def __init__(self):
        super().__init__()
        self.one, self.other = ub.Dense(4), ub.Dense(4)

    def forward(self, X, Y):
        return self.one(X) + self.other(Y)


@pytest.mark.parametrize("named", [False, True])
def test_a_model_of_several_inputs(backend_name, named):
    a, b = normal(40, 3), normal(40, 5, seed=1)
    y = problem()[1]
    x = {"X": a, "Y": b} if named else (a, b)
    net = Added()
    history = ub.fit(net, x, y, epochs=5, **OPTIONS)
    assert history.loss[-1] < history.loss[0]
    assert ub.state(net)["other.weight"].shape == (4, 5)
    trainer = ub.Trainer(Added(), ub.SGD(0.1), "cross_entropy")
    assert np.isfinite(float(ub.to_numpy(trainer.step(x, y))))


def test_loaders_build_the_model(backend_name):
    (x, y), net = problem(), unbuilt()
    history = ub.fit(
        net, [(x[:20], y[:20]), (x[20:], y[20:])], loss="ce", optimizer="adam", epochs=3
    )
    assert len(history.loss) == 3
    generator = ((x[i : i + 8], y[i : i + 8]) for i in range(0, 40, 8))
    net = unbuilt()
    ub.fit(net, generator, loss="ce", optimizer=ub.SGD(0.1))
    assert ub.state(net)["0.weight"].shape == (8, 6)


def test_without_parameters_there_is_nothing_to_build(backend_name):
    with pytest.raises(ValueError, match="Trainer: a model must have a parameter to train"):
        ub.fit(ub.ReLU(), *problem(), **OPTIONS)
