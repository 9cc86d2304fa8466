"""Validation data: given, or the last of the samples."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem

OPTIONS = {"loss": "cross_entropy", "optimizer": ub.SGD(0.125), "batch_size": 16, "epochs": 3}


@pytest.mark.parametrize("fraction", [0.25, 0.1, 0.9])
def test_the_last_samples_are_held_back(backend_name, fraction):
    (x, y), weights = problem(), np.linspace(0.5, 2, 40)
    kept = int(40 * (1 - fraction))
    options = {**OPTIONS, "metrics": ["accuracy"]}
    nets = classifier(), classifier()
    found = ub.fit(nets[0], x, y, validation_split=fraction, sample_weight=weights, **options)
    wanted = ub.fit(
        nets[1],
        x[:kept],
        y[:kept],
        sample_weight=weights[:kept],
        validation=(x[kept:], y[kept:], weights[kept:]),
        **options,
    )
    for name in ("loss", "validation_loss", "accuracy", "validation_accuracy"):
        assert found[name] == wanted[name]
    assert ub.diff_state(ub.state(nets[0]), ub.state(nets[1])).equal


def test_several_inputs_are_split_alike(backend_name):
    class Sum(ub.Block):
        def __init__(self):
            super().__init__()
            self.out = ub.Dense(4, in_units=6, dtype="float64")

        def forward(self, X, Y):
            return self.out(X + Y)

    x, y = problem()
    net = ub.initialize(Sum(), 0)
    history = ub.fit(net, {"X": x, "Y": x}, y, validation_split=0.5, **OPTIONS)
    loss = ub.evaluate(net, (x[20:], x[20:]), y[20:], loss="cross_entropy")["loss"]
    np.testing.assert_allclose(history.validation_loss[-1], loss, rtol=1e-12)


def test_a_list_of_batches_is_a_loader(backend_name):
    x, y = problem()
    whole = ub.fit(classifier(), x, y, validation=(x, y), metrics=["accuracy"], **OPTIONS)
    batches = [(x[:30], y[:30]), (x[30:], y[30:])]
    found = ub.fit(classifier(), x, y, validation=batches, metrics=["accuracy"], **OPTIONS)
    np.testing.assert_allclose(found.validation_loss, whole.validation_loss, rtol=1e-12)
    assert found["validation_accuracy"] == whole["validation_accuracy"]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"validation_split": 1.0}, ValueError, "at least 0 and below 1; got validation_split=1.0"),
        ({"validation_split": -0.1}, ValueError, "below 1; got validation_split=-0.1"),
        ({"validation_split": 0.99}, ValueError, "got validation_split=0.99 of 40, of which 0 are"),
        (
            {"validation_split": 0.5, "validation": problem()},
            ValueError,
            "validation and validation_split must not both be given",
        ),
        ({"validation": (1,)}, TypeError, r"validation must be \(x, y\).*got a tuple of 1"),
        ({"validation": "x"}, TypeError, r"validation must be \(x, y\).*got a str"),
    ],
)
def test_wrong_ones(backend_name, change, error, words):
    with pytest.raises(error, match=words):
        ub.fit(classifier(), *problem(), **OPTIONS, **change)


def test_a_loader_has_no_last_samples(backend_name):
    with pytest.raises(TypeError, match="with validation_split x must be arrays; got a list"):
        ub.fit(
            classifier(),
            [problem()],
            loss="ce",
            optimizer=ub.SGD(0.1),
            validation_split=0.5,
        )
