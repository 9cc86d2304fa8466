"""What training gives without anything besides."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem


def test_averages(backend_name):
    trainer = ub.Trainer(classifier(), ub.SGD(0.1), "cross_entropy")
    with pytest.raises(ValueError, match=r"average=0\.999"):
        trainer.averaged()


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
