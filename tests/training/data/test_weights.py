"""Weights of samples and of classes: `Σ wᵢ lᵢ / Σ wᵢ`, against NumPy."""

import re

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.learning import classifier, problem
from testbed.loaders import batches, same_state
from unified_blocks.training.data.weights import weights_of

OPTIONS = {"loss": "cross_entropy", "optimizer": ub.SGD(0.125, 0.5), "batch_size": 15, "seed": 3}
W = np.random.default_rng(5).uniform(0.1, 2, 40)
OUTPUT, Y = normal(6, 4, dtype="float64") * 2, normal(6, 4, dtype="float64", seed=1)
P = np.random.default_rng(1).uniform(size=(6, 4))
SIX = np.array([1.0, 0.0, 2.5, 0.25, 3.0, 1.0])


def logs(output):
    return output - np.log(np.exp(output).sum(axis=1, keepdims=True))


def np_huber(d):
    return np.where(np.abs(d) <= 1, d * d / 2, np.abs(d) - 0.5)


LABELS = np.array([3, 0, 0, 1, 2, 3])
OF_SAMPLES = {
    "mse": (Y, lambda o: ((o - Y) ** 2).mean(1)),
    "l1": (Y, lambda o: np.abs(o - Y).mean(1)),
    "huber": (Y, lambda o: np_huber(o - Y).mean(1)),
    "binary_cross_entropy": (P, lambda o: (np.log1p(np.exp(o)) - o * P).mean(1)),
    "cross_entropy": (LABELS, lambda o: -logs(o)[np.arange(6), LABELS]),
    "one-hot": (P, lambda o: -(P * logs(o)).sum(1)),
}
"""Targets of each loss, and the loss of each sample."""


def slopes(function, output):
    """The derivative by differences, which is within 1e-8 of it."""
    found = np.zeros_like(output)
    for place in np.ndindex(output.shape):
        moved = [output.copy(), output.copy()]
        moved[0][place] += 1e-6
        moved[1][place] -= 1e-6
        found[place] = (function(moved[0]) - function(moved[1])) / 2e-6
    return found


@pytest.mark.parametrize("name", OF_SAMPLES)
@pytest.mark.parametrize("weights", [SIX, np.zeros(6), np.arange(6)], ids=("real", "zero", "whole"))
def test_a_weighted_loss_is_its_formula(backend_name, name, weights):
    """The value, and the gradient by way of one update of a layer that multiplies by 1."""
    y, of_samples = OF_SAMPLES[name]
    loss = "cross_entropy" if name == "one-hot" else name

    def definition(output):
        return (of_samples(output) * weights).sum() / (weights.sum() or 1)

    net = ub.Dense(4, in_units=6, use_bias=False, dtype="float64")
    ub.load_state(net, {"weight": OUTPUT.T})
    trainer = ub.Trainer(net, ub.SGD(1.0), loss)
    value = float(ub.to_numpy(trainer.step(np.eye(6), y, weights)))  # the output is OUTPUT
    np.testing.assert_allclose(value, definition(OUTPUT), rtol=1e-12)
    step = OUTPUT - ub.state(net)["weight"].T
    np.testing.assert_allclose(step, slopes(definition, OUTPUT), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_weights_of_1_change_nothing_and_only_their_ratio_matters(backend_name, name):
    y, _ = OF_SAMPLES[name]
    loss, values = "cross_entropy" if name == "one-hot" else name, []
    for weights in (None, np.ones(6), SIX, SIX * 8):
        net = ub.Dense(4, in_units=6, use_bias=False, dtype="float64")
        ub.load_state(net, {"weight": OUTPUT.T})
        values.append(
            float(ub.to_numpy(ub.Trainer(net, ub.SGD(1.0), loss).step(np.eye(6), y, weights)))
        )
    np.testing.assert_allclose(values[0], values[1], rtol=1e-13)
    np.testing.assert_allclose(values[2], values[3], rtol=1e-13)


def test_a_sample_of_weight_2_is_as_two_of_it(backend_name):
    x, y = problem()
    twice = np.concatenate([np.arange(40), np.arange(0, 40, 3)])
    weights = 1.0 + (np.arange(40) % 3 == 0)
    nets = classifier(), classifier()
    options = {**OPTIONS, "batch_size": 99, "epochs": 3}
    first = ub.fit(nets[0], x, y, sample_weight=weights, **options)
    second = ub.fit(nets[1], x[twice], y[twice], **options)
    np.testing.assert_allclose(first.loss, second.loss, rtol=1e-12)
    same_state(*nets, tolerance=1e-12)


def test_an_epoch_is_the_mean_over_all_weights(backend_name):
    """However they lie in batches, as long as the numbers do not change."""
    x, y = problem()
    output = ub.predict(classifier(), x)
    wanted = (-logs(output)[np.arange(40), y] * W).sum() / W.sum()
    options = {**OPTIONS, "optimizer": ub.SGD(1e-30)}
    for batch_size in (7, 15, 40):
        options["batch_size"] = batch_size
        history = ub.fit(classifier(), x, y, sample_weight=W, **options)
        np.testing.assert_allclose(history.loss, [wanted], rtol=1e-12)
    found = ub.fit(classifier(), batches(x, y, W), **{**options, "batch_size": 32})
    np.testing.assert_allclose(found.loss, [wanted], rtol=1e-12)
    found = ub.evaluate(classifier(), x, y, loss="cross_entropy", sample_weight=W)
    np.testing.assert_allclose(found["loss"], wanted, rtol=1e-12)
    found = ub.evaluate(classifier(), batches(x, y, W), loss="cross_entropy")
    np.testing.assert_allclose(found["loss"], wanted, rtol=1e-12)


def test_fit_is_a_loop_over_the_trainer(backend_name):
    (x, y), nets = problem(), (classifier(), classifier())
    ub.fit(nets[0], x, y, sample_weight=W, epochs=2, **OPTIONS)
    trainer = ub.Trainer(nets[1], OPTIONS["optimizer"], "cross_entropy")
    generator = np.random.Generator(np.random.PCG64(3))
    for _ in range(2):
        order = generator.permutation(40)
        for i in range(0, 40, 15):
            rows = order[i : i + 15]
            trainer.step(x[rows], y[rows], W[rows])
    same_state(*nets, tolerance=1e-13)


def test_a_trainer_that_had_weights_takes_batches_without(backend_name):
    (x, y), nets = problem(), (classifier(), classifier())
    some, ones = (ub.Trainer(net, ub.SGD(0.1, 0.5), "cross_entropy") for net in nets)
    for weights in (None, W, None, W):
        some.step(x, y, weights)
        ones.step(x, y, np.ones(40) if weights is None else weights)
    same_state(*nets, tolerance=1e-13)
    assert some.training_step.count == 4


CLASS_WEIGHTS = {
    "some": {0: 2.0, 2: 0.5},
    "all": dict(enumerate([2.0, 1.0, 0.5, 1.0])),
    "array": np.array([2.0, 1.0, 0.5, 1.0]),
}


@pytest.mark.parametrize("kind", CLASS_WEIGHTS)
@pytest.mark.parametrize("targets", ["labels", "one-hot", "loader"])
@pytest.mark.parametrize("samples", [None, W], ids=("alone", "with weights of samples"))
def test_weights_of_classes(backend_name, kind, targets, samples):
    x, y = problem()
    of_classes = np.array([2.0, 1.0, 0.5, 1.0])[y]
    wanted, found = classifier(), classifier()
    options = {**OPTIONS, "batch_size": 32 if targets == "loader" else 15}
    weights = of_classes * (1 if samples is None else samples)
    if targets == "loader":
        data = (batches(x, y),) if samples is None else (batches(x, y, samples),)
        ub.fit(wanted, batches(x, y, weights), **options)
    else:
        data = (x, y if targets == "labels" else np.eye(4)[y])
        options["sample_weight"] = weights
        ub.fit(wanted, x, y, **options)
        options["sample_weight"] = samples
    ub.fit(found, *data, class_weight=CLASS_WEIGHTS[kind], **options)
    same_state(wanted, found, tolerance=1e-13)


def weighted_square(output, y, sample_weight=None):
    losses = ub.ops.mean(ub.ops.square(output - y), axis=1)
    return ub.ops.sum(losses * sample_weight) / ub.ops.sum(sample_weight)


def test_a_function_is_given_the_weights(backend_name):
    x, y, losses = normal(8, 3, dtype="float64"), normal(8, 2, dtype="float64", seed=1), []
    for loss in ("mse", weighted_square):
        net = ub.initialize(ub.Dense(2, in_units=3, dtype="float64"), 0)
        losses.append(
            ub.fit(net, x, y, loss=loss, optimizer=ub.SGD(0.1), epochs=3, sample_weight=W[:8]).loss
        )
    np.testing.assert_allclose(*losses, rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sample_weight": -np.ones(40)}, ValueError, r"at least 0; got -1\.0 and 39 more"),
        ({"sample_weight": np.full(40, np.nan)}, ValueError, r"finite and at least 0; got nan"),
        ({"sample_weight": np.ones(39)}, ValueError, r"for each sample, \(40,\); got \(39,\)"),
        ({"sample_weight": np.ones((40, 1))}, ValueError, r"for each sample, \(40,\); got \(40, 1"),
        ({"sample_weight": np.zeros(40)}, ValueError, "a weight above 0.*got 40 weights"),
        ({"sample_weight": [1.0] * 40}, TypeError, r"got a list: give numpy\.asarray"),
        ({"class_weight": {0: -1.0}}, ValueError, r"class_weight must be finite.*got -1\.0"),
        ({"class_weight": np.ones(3)}, ValueError, "from 0 to 2; got labels from 0 to 3"),
        ({"class_weight": 3.0}, ValueError, "must be {label: weight}.*got a float"),
        ({"loss": "mean", "y": None}, ValueError, "weights.*got weights and loss 'mean'"),
        ({"loss": lambda output, y: output}, ValueError, "write loss.output, y, sample_weight"),
    ],
)
def test_errors(backend_name, options, error, message):
    x, y = problem()
    options = {**OPTIONS, "sample_weight": np.ones(40), "y": y, **options}
    with pytest.raises(error, match=message):
        ub.fit(classifier(), x, options.pop("y"), **options)


def test_labels_for_weights_of_classes():
    with pytest.raises(ValueError, match="needs labels for targets; got no targets"):
        weights_of(None, class_weight={0: 1.0})
    with pytest.raises(ValueError, match=r"whole numbers.*dtype float64: give sample_weight"):
        weights_of(np.ones(3), class_weight={0: 1.0})
    assert weights_of(np.arange(3)) is None
    np.testing.assert_array_equal(weights_of(np.arange(3), class_weight={1: 0.0}), [1, 0, 1])


def test_a_step_with_wrong_weights(backend_name):
    trainer = ub.Trainer(classifier(), ub.SGD(0.1), "cross_entropy")
    with pytest.raises(ValueError, match=r"step: sample_weight.*\(40,\); got \(4,\)"):
        trainer.step(*problem(), np.ones(4))
    with pytest.raises(ValueError, match=r"epoch: sample_weight.*at least 0; got -1"):
        trainer.epoch(*problem(), np.arange(40), 8, -np.ones(40))
    assert trainer.training_step.count == 0


@pytest.mark.parametrize("key", ["1", 1.5, 1.0, None, (1,)])
def test_weights_of_classes_are_by_whole_numbers(backend_name, key):
    words = re.escape("fit: the labels of class_weight must be whole numbers, as in {1: 2.0}; got")
    x, y = problem()
    for data in ((x, y), ([(x, y)],)):
        with pytest.raises(TypeError, match=words):
            ub.fit(
                classifier(),
                *data,
                class_weight={0: 2.0, key: 5.0},
                loss="cross_entropy",
                optimizer="adam",
            )


def test_labels_of_numpy_are_whole_numbers():
    wanted = [1, 5, 2]
    for kind in (np.int64, np.uint8, int):
        of_classes = {kind(1): 5.0, kind(2): np.float32(2)}
        np.testing.assert_array_equal(weights_of(np.arange(3), class_weight=of_classes), wanted)
    truth = np.array([True, False])
    np.testing.assert_array_equal(weights_of(truth, class_weight={True: 3.0}), [3, 1])
    np.testing.assert_array_equal(weights_of(truth, class_weight={np.bool_(1): 3.0}), [3, 1])
