"""What this version has no rule for is an error when it is asked for, and is never passed over."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem

FIT = {
    "validation_split": 0.1,
    "metrics": ["accuracy"],
    "schedule": ub.CosineDecay(9),
    "clip": ub.Clip(value=1.0),
    "accumulate": 2,
    "groups": [ub.ParameterGroup("*.bias", weight_decay=0.0)],
    "precision": "bfloat16",
    "average": 0.999,
    "checkpoint": "run",
}
TRAINER = [name for name in FIT if name not in (*list(FIT)[:1], "checkpoint")]


def fit(**more):
    return ub.fit(classifier(), *problem(), loss="cross_entropy", optimizer=ub.SGD(0.1), **more)


@pytest.mark.parametrize("name", FIT)
def test_arguments_of_fit(backend_name, name):
    with pytest.raises(ub.UnsupportedError, match=f"fit: {name} must be left out.*got {name}="):
        fit(**{name: FIT[name]})


@pytest.mark.parametrize("name", TRAINER)
def test_arguments_of_a_trainer(backend_name, name):
    with pytest.raises(ub.UnsupportedError, match=f"Trainer: {name} must be left out"):
        ub.Trainer(classifier(), ub.SGD(0.1), "cross_entropy", **{name: FIT[name]})


def test_averages(backend_name):
    trainer = ub.Trainer(classifier(), ub.SGD(0.1), "cross_entropy")
    with pytest.raises(ValueError, match=r"average=0\.999"):
        trainer.averaged()


class Stepping(ub.Callback):
    def step(self, run):
        raise AssertionError


def test_data_and_callbacks(backend_name):
    x, y = problem()
    options = {"loss": "cross_entropy", "optimizer": ub.SGD(0.1)}
    with pytest.raises(ub.UnsupportedError, match=r"must have no `step`.*got a Stepping"):
        ub.fit(classifier(), x, y, callbacks=[Stepping()], **options)
    with pytest.raises(ub.UnsupportedError, match=r"validation must be \(x, y\)"):
        ub.fit(classifier(), x, y, validation=(x, y, x), **options)


def test_what_there_is(backend_name):
    net, (x, y) = classifier(), problem()
    found = ub.predict(net, x)
    assert (type(found), found.shape) == (np.ndarray, (40, 4))
    loss = -np.mean(found[np.arange(40), y] - np.log(np.exp(found).sum(1)))
    np.testing.assert_allclose(
        ub.evaluate(net, x, y, loss="cross_entropy")["loss"], loss, rtol=1e-12
    )
    with pytest.raises(ValueError, match="loss or metrics must say what to measure"):
        ub.evaluate(net, x, y)
    with ub.use_backend(backend_name), ub.join() as group:
        assert (group.rank, group.processes, group.size, group.mine) == (0, 1, 1, range(1))
        np.testing.assert_array_equal(group.sum(np.array([1, 2])), [1.0, 2.0])


def test_a_loss_without_targets(backend_name):
    net, (x, _) = classifier(), problem()
    history = ub.fit(net, x, loss="mean", optimizer=ub.SGD(0.125), epochs=2, validation=(x, None))
    assert history.loss[1] < history.loss[0]
    assert history.validation_loss[1] < history.validation_loss[0]
