"""Labels and one-hot targets of cross-entropy."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem
from testbed.loaders import same_state

OPTIONS = {"loss": "cross_entropy", "optimizer": ub.SGD(0.125, 0.5), "batch_size": 15, "epochs": 2}


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "uint8", "bool"])
def test_one_hot_is_as_labels(backend_name, dtype):
    (x, y), nets = problem(), (classifier(), classifier())
    first = ub.fit(nets[0], x, y, **OPTIONS)
    second = ub.fit(nets[1], x, np.eye(4, dtype=dtype)[y], **OPTIONS)
    np.testing.assert_allclose(first.loss, second.loss, rtol=1e-12)
    same_state(*nets, tolerance=1e-12)


def test_shares_of_classes(backend_name):
    """`-Σ_c y_c log softmax(output)_c`, and its gradient `softmax Σ y - y`, over the batch."""
    x = np.eye(6)
    y = np.random.default_rng(0).uniform(size=(6, 4))
    net = ub.initialize(ub.Dense(4, in_units=6, use_bias=False, dtype="float64"), 0)
    output = ub.state(net)["weight"].T
    shares = np.exp(output) / np.exp(output).sum(1, keepdims=True)
    value = float(ub.to_numpy(ub.Trainer(net, ub.SGD(1.0), "cross_entropy").step(x, y)))
    np.testing.assert_allclose(value, -(y * np.log(shares)).sum() / 6, rtol=1e-12)
    step = output - ub.state(net)["weight"].T
    np.testing.assert_allclose(step, (shares * y.sum(1, keepdims=True) - y) / 6, rtol=1e-10)


def test_of_many_classes(backend_name):
    """More than those that MXNet adds up one by one."""
    x, labels = np.eye(5), np.arange(5) * 40
    values = []
    for y in (labels, np.eye(200)[labels]):
        with ub.use_dtype("float64"):
            net = ub.initialize(ub.Dense(200, in_units=5), 0)
        values.append(ub.value_and_grad(net, x, y, loss="cross_entropy"))
    np.testing.assert_allclose(values[0][0], values[1][0], rtol=1e-13)
    for name, gradient in values[0][1].items():
        np.testing.assert_allclose(gradient, values[1][1][name], rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros((40, 1), int), r"labels of shape \(n,\); got \(40, 1\)"),
        (np.zeros((40, 2, 2), int), r"labels of shape \(n,\); got \(40, 2, 2\)"),
        (-np.ones((40, 4)), "numbers from 0; got dtype float64, smallest -1"),
        (np.full((40, 4), np.nan), "numbers from 0.*smallest nan"),
        (np.full((40, 4), "a"), "numbers from 0"),
        (np.zeros((40, 3)), r"one-hot targets like the output, \(32, 4\); got \(32, 3\)"),
    ],
)
def test_other_targets_are_an_error(backend_name, y, message):
    with pytest.raises(ValueError, match=message):
        ub.fit(classifier(), problem()[0], y, loss="cross_entropy", optimizer=ub.SGD(0.1))
