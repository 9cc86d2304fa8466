"""`evaluate`: the same numbers however the samples lie in batches, with one read."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.learning import classifier, problem
from training.test_training_counts import reads_of


def logits(net, x):
    return ub.predict(net, x)


def cross_entropies(output, y):
    return np.log(np.exp(output).sum(axis=1)) - output[np.arange(len(y)), y]


@pytest.mark.parametrize("batch_size", [None, 40, 16, 7, 1])
def test_the_loss_and_metrics_of_all_samples(backend_name, batch_size):
    net, (x, y) = classifier(), problem()
    found = ub.evaluate(
        net, x, y, loss="cross_entropy", metrics=["accuracy", "top_2"], batch_size=batch_size
    )
    output = logits(net, x)
    larger = (output > output[np.arange(40), y][:, None]).sum(axis=1)
    wanted = {
        "loss": cross_entropies(output, y).mean(),
        "accuracy": (output.argmax(axis=1) == y).mean(),
        "top_2": (larger < 2).mean(),
    }
    assert list(found) == list(wanted)
    assert 0 < wanted["accuracy"] < wanted["top_2"] < 1
    np.testing.assert_allclose(list(found.values()), list(wanted.values()), rtol=1e-12)


def test_metrics_without_a_loss_and_a_loss_without_metrics(backend_name):
    net, (x, y) = classifier(), problem()
    assert list(ub.evaluate(net, x, y, metrics="accuracy")) == ["accuracy"]
    assert list(ub.evaluate(net, x, y, loss="cross_entropy")) == ["loss"]
    mean = ub.evaluate(net, x, loss="mean", batch_size=8)["loss"]
    np.testing.assert_allclose(mean, logits(net, x).mean(), rtol=1e-12)


@pytest.mark.parametrize("batch_size", [None, 16])
def test_it_reads_once_and_in_inference_mode(backend, batch_size, monkeypatch):
    with ub.use_dtype("float64"):
        net = ub.MySequential(ub.Dropout(0.9), ub.Dense(4, in_units=6))
    x, y = problem()
    x, y = ub.from_numpy(x), ub.from_numpy(y)
    options = {"loss": "cross_entropy", "metrics": ["accuracy"], "batch_size": batch_size}
    fetched, to_numpy = [], type(backend).to_numpy
    monkeypatch.setattr(
        type(backend), "to_numpy", lambda *given: fetched.append(given) or to_numpy(*given)
    )
    with reads_of(backend) as reads:
        found = ub.evaluate(net, x, y, **options)
    assert len(fetched) == 1
    assert len(reads) == (backend.name != "tensorflow")  # which is read by its buffer
    assert ub.evaluate(net, x, y, **options) == found


def test_small_data_goes_through_the_model_at_once(backend_name):
    net, (x, y) = classifier(), problem()
    seen = []

    def metric(output, y):
        seen.append(output.shape[0])
        return ub.ops.mean(output)

    ub.evaluate(net, x, y, metrics=[metric])
    assert seen == [40]
    ub.evaluate(net, x, y, metrics=[metric], batch_size=16)
    assert seen == ([40, 16, 8] if backend_name == "tensorflow" else [40, 16, 16, 8])


def test_a_model_of_the_framework_itself(backend):
    if backend.name == "torch":
        from torch import nn

        net = nn.Sequential(nn.Linear(6, 4))
    elif backend.name == "tensorflow":
        import keras

        net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4)])
    elif backend.name == "mxnet":
        from unified_blocks_mxnet.compat import mx

        net = mx.gluon.nn.Dense(4, in_units=6)
        net.initialize()
    else:
        pytest.skip("no layer of it is known here")
    x, y = problem("float32")
    found = ub.evaluate(net, x, y, loss="cross_entropy", metrics=["accuracy"], batch_size=16)
    output = ub.predict(net, x, batch_size=16)
    np.testing.assert_allclose(found["loss"], cross_entropies(output, y).mean(), rtol=1e-5)
    np.testing.assert_allclose(found["accuracy"], (output.argmax(1) == y).mean(), rtol=1e-6)


def test_what_computes_in_half_is_measured_in_float32(backend):
    if "mixed-precision" in backend.lacks:
        pytest.skip(backend.lacks["mixed-precision"])
    net = ub.build(ub.Dense(4, dtype="mixed_bfloat16"), (2, 6))
    x, y = normal(40, 6), normal(40, 4, seed=1)
    found = ub.evaluate(net, x, y, loss="mse", metrics=["mae"])
    output = ub.predict(net, x)
    assert output.dtype == "float32"
    wanted = [np.mean((output - y) ** 2), np.mean(abs(output - y))]
    np.testing.assert_allclose(list(found.values()), wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"loss": None}, ValueError, "loss or metrics must say what to measure"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1; got batch_size=0"),
        ({"x": np.zeros((3, 6))}, ValueError, "same number of samples"),
        ({"x": np.zeros((0, 6)), "y": np.zeros(0, int)}, ValueError, "at least one"),
        ({"loss": "hinge"}, ValueError, "got 'hinge'"),
        ({"metrics": ["f1"]}, ValueError, "got 'f1'"),
        ({"y": None}, ValueError, "needs targets"),
    ],
)
def test_what_cannot_be_measured(backend_name, change, error, message):
    x, y = problem()
    options = {"x": x, "y": y, "loss": "cross_entropy", **change}
    with pytest.raises(error, match=message):
        ub.evaluate(classifier(), options.pop("x"), options.pop("y"), **options)
    with pytest.raises(ub.NotBuiltError):
        ub.evaluate(ub.MLP(4, 3), normal(2, 6), np.zeros(2, int), loss="cross_entropy")
