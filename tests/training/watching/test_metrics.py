"""Metrics: formulas against NumPy, weights, targets of several kinds, and what is none."""

import functools

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from unified_blocks.training.watching.metrics import metrics_meant

ROWS = np.arange(7)
LABELS = normal(7, 5, dtype="float64").argsort(axis=1)[ROWS, 4 - ROWS % 5]
"""Of each place among the logits `normal(7, 5)`, from the largest on."""
WEIGHTS = np.array([0.0, 1.0, 2.5, 0.25, 1.0, 3.0, 0.5])


def of(metric, output, y, w=None):
    """The number that one metric gives for arrays."""
    (metric,) = metrics_meant(metric)
    net = ub.build(ub.Dense(2), (2, 3))
    backend = ub.get_backend()
    tensors = [None if a is None else ub.from_numpy(a) for a in (output, y, w)]
    with backend.inferring(net):
        return float(backend.to_numpy(metric(*tensors)))


def mean(values, w=None):
    values = np.asarray(values, "float64")
    return np.average(values.reshape(len(values), -1).mean(axis=1), weights=w)


@pytest.mark.parametrize("w", [None, WEIGHTS], ids=["all alike", "weighted"])
@pytest.mark.parametrize("y", [LABELS, LABELS.astype("int32"), LABELS.astype("uint8"), "one-hot"])
def test_accuracy_and_top_k(backend_name, dtype, y, w):
    output = normal(7, 5, dtype=dtype)
    y = np.eye(5, dtype=dtype)[LABELS] if isinstance(y, str) else y
    right = output.argmax(axis=1) == LABELS
    larger = (output > output[ROWS, LABELS][:, None]).sum(axis=1)
    close = {"rtol": 1e-12 if dtype == "float64" else 1e-6}
    np.testing.assert_allclose(of("accuracy", output, y, w), mean(right, w), **close)
    np.testing.assert_array_equal(larger, ROWS % 5)
    for k in (1, 2, 4, 5):
        np.testing.assert_allclose(of(ub.TopK(k), output, y, w), mean(larger < k, w), **close)


def test_ties_count_for_top_k_and_the_first_of_the_largest_is_what_is_told(backend_name):
    output, y = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]), np.array([0, 1])
    assert of("accuracy", output, y) == 0.5
    assert of("top_1", output, y) == 1.0


def test_what_is_no_number_and_a_label_that_is_no_class_are_not_among_the_largest(backend_name):
    nan = np.full((3, 4), np.nan)
    assert of("top_3", nan, np.arange(3)) == 0
    assert of("top_3", normal(3, 4, dtype="float64"), np.array([4, 9, -1])) == 0
    assert of("accuracy", normal(3, 4, dtype="float64"), np.array([4, 9, -1])) == 0


@pytest.mark.parametrize("shape", [(7,), (7, 1)])
@pytest.mark.parametrize("kind", ["bool", "int64", "uint8", "float64"])
def test_accuracy_of_a_single_logit(backend_name, shape, kind):
    output = normal(*shape, dtype="float64")
    y = np.array([1, 0, 1, 1, 0, 0, 1]).astype(kind)
    right = (output.reshape(7) > 0) == y.astype(bool)
    assert 0 < mean(right) < 1
    for given in (y, y[:, None]):
        np.testing.assert_allclose(of("accuracy", output, given, WEIGHTS), mean(right, WEIGHTS))


def test_accuracy_of_sequences_is_a_mean_of_those_of_samples(backend_name):
    output, y = normal(7, 3, 5, dtype="float64"), np.arange(21).reshape(7, 3) % 5
    right = output.argmax(axis=-1) == y
    np.testing.assert_allclose(of("accuracy", output, y), right.mean())
    np.testing.assert_allclose(of("accuracy", output, y, WEIGHTS), mean(right, WEIGHTS))


@pytest.mark.parametrize("w", [None, WEIGHTS], ids=["all alike", "weighted"])
def test_distances(backend_name, dtype, w):
    output, y = normal(7, 2, 3, dtype=dtype), normal(7, 2, 3, dtype=dtype, seed=1)
    close = {"rtol": 1e-12 if dtype == "float64" else 1e-6}
    np.testing.assert_allclose(of("mae", output, y, w), mean(abs(output - y), w), **close)
    np.testing.assert_allclose(of("mse", output, y, w), mean((output - y) ** 2, w), **close)
    whole = np.round(3 * y).astype("int32")
    np.testing.assert_allclose(of("mae", output, whole, w), mean(abs(output - whole), w), **close)


def test_weights_that_are_all_0_give_0(backend_name):
    output, y = normal(7, 5, dtype="float64"), normal(7, 5, dtype="float64", seed=1)
    assert of("mse", output, y, 0 * WEIGHTS) == 0


def largest(output, y):
    return ub.ops.max(ub.ops.abs(ub.ops.subtract(output, y)))


def weighted_sum(output, y, sample_weight=None):
    values = ub.ops.sum(ub.ops.subtract(output, y), axis=1)
    return ub.ops.sum(values if sample_weight is None else ub.ops.multiply(values, sample_weight))


def test_functions(backend_name):
    output, y = normal(7, 5, dtype="float64"), normal(7, 5, dtype="float64", seed=1)
    for w in (None, WEIGHTS):
        np.testing.assert_allclose(of(largest, output, y, w), abs(output - y).max())
    rows = (output - y).sum(axis=1)
    np.testing.assert_allclose(of(weighted_sum, output, y), rows.sum())
    np.testing.assert_allclose(of(weighted_sum, output, y, WEIGHTS), rows @ WEIGHTS)
    np.testing.assert_allclose(of(lambda output: ub.ops.sum(output), output, None), output.sum())
    one = functools.partial(largest)
    assert [metric.name for metric in metrics_meant([one, weighted_sum])] == [
        "largest",
        "weighted_sum",
    ]


@pytest.mark.parametrize(
    ("metric", "shape", "given", "message"),
    [
        ("accuracy", (7, 5), (7, 1), r"needs targets \(7,\), or one-hot \(7, 5\); got \(7, 1\)"),
        ("accuracy", (7, 5), (7, 4), r"or one-hot \(7, 5\); got \(7, 4\)"),
        ("accuracy", (7, 1), (7, 2), r"of single logits, \(7, 1\), \(7,\); got \(7, 2\)"),
        ("top_2", (7, 5), (6,), r"'top_2' needs targets \(7,\)"),
        ("mae", (7, 1), (7,), r"'mae' needs targets like the output, \(7, 1\); got \(7,\)"),
        ("mse", (7, 2), None, "needs targets; got y=None"),
        ("top_6", (7, 5), (7,), r"at most the number of classes; got k=6 of an output \(7, 5\)"),
        ("top_1", (7,), (7,), r"got k=1 of an output \(7,\)"),
        (lambda output, y: output, (7, 2), (7, 2), r"must give one number.*\(7, 2\)"),
    ],
)
def test_targets_that_do_not_fit(backend_name, metric, shape, given, message):
    with pytest.raises(ValueError, match=message):
        of(metric, np.ones(shape), None if given is None else np.ones(given))


def test_a_function_that_reads_the_device_is_an_error(backend_name):
    with pytest.raises(TypeError, match=r"must give a tensor.*got a float"):
        of(lambda output, y: 1.0, np.ones((2, 2)), np.ones((2, 2)))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ACC", "accuracy"),
        ("binary_accuracy", "accuracy"),
        ("sparse_categorical_accuracy", "accuracy"),
        ("top_k", "top_5"),
        ("top-3", "top_3"),
        ("Top5", "top_5"),
        ("top_2_accuracy", "top_2"),
        ("mean_absolute_error", "mae"),
        ("Mean Squared Error", "mse"),
    ],
)
def test_names_as_people_write_them(written, meant):
    assert [metric.name for metric in metrics_meant([written])] == [meant]
    assert [metric.name for metric in metrics_meant(written)] == [meant]


class SparseCategoricalAccuracy:
    def update_state(self, y, output):
        raise AssertionError

    def __call__(self, y, output):
        raise AssertionError


class Nameless(ub.Metric):
    def __call__(self, output, y, w=None):
        raise AssertionError


@pytest.mark.parametrize(
    ("written", "error", "message"),
    [
        (
            "accurracy",
            ValueError,
            "one of accuracy, top_k, mae, mse; got 'accurracy': .*'accuracy'",
        ),
        ("top_0", ValueError, r"k must be a whole number, at least 1; got k=0"),
        (3, TypeError, "each must be 'accuracy'"),
        ([ub.TopK], TypeError, r"got TopK: write TopK\(\)"),
        (
            [SparseCategoricalAccuracy()],
            TypeError,
            "got a SparseCategoricalAccuracy: write 'accuracy'",
        ),
        ([Nameless()], TypeError, "must have a `name`, a str; got a Nameless"),
        (["accuracy", "acc"], ValueError, "a name of its own.*got 2 of 'accuracy'"),
        ([lambda o, y: o, lambda o, y: o], ValueError, "got 2 of '<lambda>'"),
    ],
)
def test_what_is_no_metric(written, error, message):
    with pytest.raises(error, match=message):
        metrics_meant(written)


def test_names_of_other_curves_are_taken():
    def loss(output, y):
        raise AssertionError

    with pytest.raises(ValueError, match=r"none of loss, epoch.*got one of 'loss'"):
        metrics_meant([loss])
