"""Data that is none, and what is said of it."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.learning import classifier, problem
from testbed.loaders import HERE, batches
from unified_blocks.backend.registry import load_backend

OPTIONS = {"loss": "cross_entropy", "optimizer": ub.SGD(0.1)}
X, Y = problem()


def fit(x, y=None, **more):
    return ub.fit(classifier(), x, y, **{**OPTIONS, **more})


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (None, Y, ValueError, "x must be arrays, tensors or a loader; got None"),
        (X.tolist(), Y, TypeError, r"got a float where an array must be: give numpy\.asarray"),
        (X, Y.tolist(), TypeError, r"got a int where an array must be: give numpy\.asarray"),
        (3.0, Y, TypeError, "got a float where an array must be"),
        ("x.npy", Y, TypeError, "got a str where an array must be"),
        (np.array([[1.0], [1.0, 2.0]], object), Y[:2], ValueError, "Python objects.*pad"),
        (X[:0], Y[:0], ValueError, "at least one; got 0 and 0"),
        ([], Y, ValueError, "at least one; got 40"),
        (X, Y[:9], ValueError, "same number of samples.*got 40 and 9"),
        (np.float64(3), Y, ValueError, "samples along their first axis; got a single number"),
        (X, None, ValueError, "needs targets; got y=None"),
    ],
)
def test_arrays(backend_name, x, y, error, message):
    with pytest.raises(error, match=message):
        fit(x, y)


GIVEN = batches(X, Y)
WRONG = {
    "no batches": (lambda: iter(()), ValueError, "a batch at least; got none from a function"),
    "None": ([(None, Y[:8]), *GIVEN], ValueError, "got None for x"),
    "no samples": ([*GIVEN, (X[:0], Y[:0])], ValueError, "at least one; got 0 and 0"),
    "other lengths": ([*GIVEN, (X[:8], Y[:7])], ValueError, "number of samples.*got 8 and 7"),
    "other rows": ([*GIVEN, (X[:8, :5], Y[:8])], ValueError, r"shape \(5,\) after \(6,\)"),
    "other axes": ([*GIVEN, (X[0], Y[:6])], ValueError, "1 axes of float64.*after .2 axes"),
    "another dtype": (
        [*GIVEN, (X[:8].astype("float32"), Y[:8])],
        ValueError,
        "like the first.*float32.*after.*float64",
    ),
    "weights later": ([*GIVEN, (X[:8], Y[:8], np.ones(8))], ValueError, "like the first"),
    "no targets": ([(X[:8],), (X[8:],)], ValueError, "needs targets"),
    "numbers": (lambda: iter([(X[:8].tolist(), Y[:8])]), TypeError, "got a float where an array"),
    "wrong labels": ([*GIVEN, (X[:8], -Y[:8] - 1)], ValueError, "whole numbers from 0"),
    "wrong weights": ([(X[:8], Y[:8], -np.ones(8))], ValueError, "at least 0; got -1"),
    "weights of another length": ([(X[:8], Y[:8], np.ones(7))], ValueError, r"\(8,\); got \(7,\)"),
    "a number": (range(3), TypeError, "got a int where an array"),
}


@pytest.mark.parametrize("case", WRONG)
def test_batches(backend_name, case):
    data, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        fit(data)


def test_rows_of_another_size_are_for_the_model_to_take(backend_name):
    """As sequences in groups of one length are."""
    with ub.use_dtype("float64"):
        net = ub.MySequential(ub.RNN(4), ub.Lambda(lambda X: X[:, -1]))
    given = [(normal(8, t, 3, dtype="float64"), Y[:8]) for t in (5, 7, 5)]
    history = ub.fit(ub.build(net, (8, 5, 3)), given, epochs=2, **OPTIONS)
    assert history.loss[1] < history.loss[0]


def test_beside_a_loader(backend_name):
    for more, message in (
        ({"y": Y}, "y must come with the batches of a loader"),
        ({"sample_weight": np.ones(40)}, "sample_weight must come with the batches"),
        ({"batch_size": 8}, "batches are made by the loader, a list; got batch_size=8"),
    ):
        with pytest.raises(ValueError, match=message):
            fit(GIVEN, **more)
    with pytest.raises((TypeError, ValueError), match="validation_split"):
        fit(GIVEN, validation_split=0.5)
    with pytest.raises(ValueError, match="evaluate: targets and weights must come with"):
        ub.evaluate(classifier(), GIVEN, Y, loss="cross_entropy")
    with pytest.raises(ValueError, match="evaluate: data must have a batch at least"):
        ub.evaluate(classifier(), lambda: iter(()), loss="cross_entropy")


def test_data_of_frameworks_that_is_not_in_batches(backend_name):
    for name in HERE:
        load_backend(name)
    if "torch" in HERE:
        from torch.utils.data import DataLoader, TensorDataset

        data = TensorDataset(ub.from_numpy(X, "torch"), ub.from_numpy(Y, "torch"))
        with pytest.raises(TypeError, match=r"single samples: give torch\.utils\.data\.DataLoader"):
            fit(data)
        fit(DataLoader(data, batch_size=8), batch_size=8)
    if "mxnet" in HERE:
        from mxnet.gluon.data import ArrayDataset

        with pytest.raises(TypeError, match=r"single samples: give mxnet\.gluon\.data\.DataLoader"):
            fit(ArrayDataset(X, Y))
    if "tensorflow" in HERE:
        import tensorflow as tf

        data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
        with pytest.raises(ValueError, match=r"must have an end.*give dataset\.take"):
            fit(data.repeat())
        ragged = tf.data.Dataset.from_tensors((tf.ragged.constant([[1.0], [1.0, 2.0]]), [0, 1]))
        with pytest.raises(ValueError, match=r"same shape; got a RaggedTensor.*to_tensor"):
            fit(ragged)
