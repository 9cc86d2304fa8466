"""What `evaluate`, `predict` and validation are given is looked at as by `fit`."""

import functools

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem

OPTIONS = {"loss": "cross_entropy", "optimizer": ub.SGD(0.125), "batch_size": 16}
WRONG_WEIGHTS = {
    "a column": (np.ones((40, 1)), r"a weight for each sample, \(40,\); got \(40, 1\)"),
    "one": (np.ones(1), r"a weight for each sample, \(40,\); got \(1,\)"),
    "too many": (np.ones(50), r"a weight for each sample, \(40,\); got \(50,\)"),
    "below 0": (np.array([-1.0] * 20 + [3.0] * 20), r"finite and at least 0; got -1\.0"),
    "nan": (np.full(40, np.nan), "finite and at least 0; got nan"),
}


@pytest.mark.parametrize("name", WRONG_WEIGHTS)
def test_weights_are_one_for_each_sample(backend_name, name):
    (x, y), (w, words), net = problem(), WRONG_WEIGHTS[name], classifier()
    start = ub.state(net)
    for batch_size in (None, 16):
        with pytest.raises(ValueError, match=f"evaluate: sample_weight must .*{words}"):
            ub.evaluate(net, x, y, metrics="acc", sample_weight=w, batch_size=batch_size)
    with pytest.raises(ValueError, match=f"fit: sample_weight must .*{words}"):
        ub.fit(net, x, y, validation=(x, y, w), **OPTIONS)
    assert ub.diff_state(ub.state(net), start).equal  # before the first update


def test_weights_that_are_tensors_are_one_for_each_sample(backend_name):
    x, y = problem()
    w = ub.from_numpy(np.ones((40, 1)))
    with pytest.raises(ValueError, match=r"evaluate: .*\(40,\); got \(40, 1\)"):
        ub.evaluate(classifier(), x, y, metrics="acc", sample_weight=w)
    with pytest.raises(ValueError, match=r"fit: .*\(40,\); got \(40, 1\)"):
        ub.fit(classifier(), x, y, validation=(x, y, w), **OPTIONS)


def test_validation_data_of_other_lengths_is_an_error_at_once(backend_name):
    (x, y), net = problem(), classifier()
    start = ub.state(net)
    with pytest.raises(ValueError, match="same number of samples, at least one; got 40 and 30"):
        ub.fit(net, x, y, validation=(x, y[:30]), **OPTIONS)
    assert ub.diff_state(ub.state(net), start).equal


def test_a_batch_size_beside_a_loader_is_an_error(backend_name):
    (x, y), net = problem(), classifier()
    loader = [(x[:30], y[:30]), (x[30:], y[30:])]
    calls = {
        "evaluate": functools.partial(ub.evaluate, loss="cross_entropy"),
        "predict": ub.predict,
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=rf"{name}: batches are made by .*got batch_size=8"):
            call(net, loader, batch_size=8)
        for data in ((loader,), (x, y)[: 1 + (name == "evaluate")]):
            with pytest.raises(ValueError, match=f"{name}: batch_size must be at least 1; got"):
                call(net, *data, batch_size=-1)
            with pytest.raises(TypeError, match=f"{name}: batch_size must be a whole number"):
                call(net, *data, batch_size=8.0)
    assert ub.predict(net, x, batch_size=np.int64(8)).shape == (40, 4)


class Loader(list):
    batch_size = 20


def test_the_batch_size_of_a_loader_may_be_named(backend_name):
    (x, y), net = problem(), classifier()
    loader = Loader([(x[:20], y[:20]), (x[20:], y[20:])])
    assert ub.predict(net, loader, batch_size=20).shape == (40, 4)


def test_numbers_in_a_list_are_no_targets(backend_name):
    (x, y), net = problem(), classifier()
    rule = "{}: x and y must be arrays or tensors, .*got a int where an array must be: give numpy"
    y = y.tolist()
    with pytest.raises(TypeError, match=rule.format("fit")):
        ub.fit(net, x, y, **OPTIONS)
    with pytest.raises(TypeError, match=rule.format("fit")):
        ub.fit(net, x, np.array(y), validation=(x, y), **OPTIONS)
    with pytest.raises(TypeError, match=rule.format("evaluate")):
        ub.evaluate(net, x, y, loss="cross_entropy")
    with pytest.raises(TypeError, match=rule.format("evaluate")):
        ub.evaluate(net, x, y, metrics="accuracy")
    trainer = ub.Trainer(net, ub.SGD(0.1), "cross_entropy")
    with pytest.raises(TypeError, match=rule.format("step")):
        trainer.step(x, y)
    with pytest.raises(TypeError, match=rule.format("step").replace("int", "float")):
        trainer.step(x.tolist(), np.array(y))
    with pytest.raises(TypeError, match=rule.format("epoch")):
        trainer.epoch(x, y, np.arange(40), 8)
    with pytest.raises(TypeError, match="needs one array or tensor of targets; got a list: give n"):
        ub.value_and_grad(net, x, y, loss="cross_entropy")


@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "binary_cross_entropy"])
def test_targets_of_a_named_loss_are_one_array(backend_name, loss):
    x, y = problem()
    two = (y, y)
    words = f"loss '{loss}' needs one array or tensor of targets; got a tuple"
    for call in (
        lambda: ub.fit(classifier(), x, two, **{**OPTIONS, "loss": loss}),
        lambda: ub.evaluate(classifier(), x, two, loss=loss),
        lambda: ub.Trainer(classifier(), ub.SGD(0.1), loss).step(x, two),
    ):
        with pytest.raises(TypeError, match=words):
            call()


@pytest.mark.parametrize("batch_size", [None, 16, 2])
def test_the_loss_that_is_a_sum_is_that_of_all_samples(backend_name, batch_size):
    net, x = classifier(), problem()[0]
    output = ub.predict(net, x)
    for loss, wanted in (("sum", output.sum()), ("mean", output.mean())):
        found = ub.evaluate(net, x, loss=loss, batch_size=batch_size)["loss"]
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_beside_a_sum_metrics_are_means(backend_name):
    net, x = classifier(), problem()[0]

    def largest(output, *y):
        return ub.ops.mean(ub.ops.max(output, axis=-1))

    loader = [(x[:30],), (x[30:],)]
    output = ub.predict(net, x)
    found = ub.evaluate(net, loader, loss="sum", metrics=[largest])
    np.testing.assert_allclose(found["loss"], output.sum(), rtol=1e-12)
    np.testing.assert_allclose(found["largest"], output.max(axis=1).mean(), rtol=1e-12)


def by_keyword(output, y, **more):
    by_keyword.given.append(sorted(more))
    return ub.ops.mean(output)


def test_a_metric_with_keywords_gets_the_weights_as_a_loss_does(backend_name):
    (x, y), by_keyword.given = problem(), []
    given = {"metrics": [by_keyword], "sample_weight": np.ones(40)}
    ub.evaluate(classifier(), x, y, **given)
    assert by_keyword.given == [["sample_weight"]]
    ub.evaluate(classifier(), x, y, metrics=[by_keyword])
    assert by_keyword.given[1:] == [[]]
