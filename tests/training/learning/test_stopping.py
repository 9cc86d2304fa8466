"""A training ends, or learns more slowly, when a curve of it no longer improves."""

import math

import numpy as np
import pytest

import unified_blocks as ub
from testbed.formula import dense
from unified_blocks.training.callbacks import Run
from unified_blocks.training.history import History


class Course:
    """A training whose curve is given, and whose net has the number of the epoch for numbers."""

    def __init__(self, curve, name="validation_loss", rate=1.0):
        self.net = dense()
        self.trainer = ub.Trainer(self.net, ub.SGD(rate), "mse")
        self.history, self.curve, self.name = History(), curve, name
        self.run = Run(self.trainer, self.history, epochs=len(curve), steps_per_epoch=1)

    def go(self, *callbacks, loaded=0):
        """The learning rate after each epoch, until one stops it."""
        rates = []
        for callback in callbacks:
            callback.begin(self.run)
        for epoch, value in enumerate(self.curve, 1):
            history = self.history
            history.loss.append(value)
            if self.name == "validation_loss":
                history.validation_loss.append(value)
            else:
                history.metrics.setdefault(self.name, []).append(value)
            if epoch > loaded:
                ub.load_state(
                    self.net, {"weight": np.full((2, 3), float(epoch)), "bias": np.zeros(2)}
                )
                for callback in callbacks:
                    callback.epoch(self.run)
                rates.append(self.trainer.learning_rate)
            if self.run.stopped:
                break
        for callback in callbacks:
            callback.end(self.run)
        return rates

    @property
    def number(self):
        """The epoch whose numbers the net has."""
        (found,) = np.unique(ub.state(self.net)["weight"])
        return found


@pytest.mark.parametrize(
    ("curve", "options", "epochs", "best"),
    [
        ([3, 2, 2, 1], {}, 3, 2),
        ([3, 2, 1], {}, 3, 3),
        ([3, 2, 2.5, 2, 1, 9, 9, 9], {"patience": 2}, 8, 5),
        ([3, 2, 2.5, 2, 2, 9], {"patience": 2}, 5, 2),
        ([3, 2.9, 2.8, 1], {"min_delta": 0.5}, 2, 1),
        ([3, 2.9, 2.8, 1], {"min_delta": 0.5, "patience": 2}, 4, 4),
        ([math.nan, 2, math.nan, math.nan], {"patience": 1}, 4, 2),
        ([1, 2, 3, 2], {"mode": "max"}, 4, 3),
    ],
)
def test_it_stops(backend_name, curve, options, epochs, best):
    course = Course(curve)
    course.go(ub.EarlyStopping(**options))
    assert len(course.history.loss) == epochs
    assert course.number == best
    if epochs < len(curve):
        assert f"has not improved on {curve[best - 1]:.6g}" in course.history.stopped


def test_of_accuracies_the_largest_is_the_best(backend_name):
    course = Course([0.1, 0.5, 0.4, 0.3], name="validation_accuracy")
    course.go(ub.EarlyStopping("validation_accuracy", patience=1))
    assert (len(course.history.loss), course.number) == (4, 2)


def test_the_last_numbers_stay_when_it_is_told_so(backend_name):
    course = Course([1, 2, 3])
    course.go(ub.EarlyStopping(restore_best=False))
    assert course.number == 2


def test_on_a_plateau_the_rate_becomes_smaller(backend_name):
    curve = [3, 3, 3, 2, 2, math.nan, 2, 1.9, 1.9]
    rates = Course(curve).go(ub.ReduceOnPlateau(factor=0.5, patience=2, min_delta=0.5))
    assert rates == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


def test_what_the_best_is_can_be_told(backend_name):
    """Of a metric of one's own nobody knows whether the largest or the smallest is."""
    options = {"factor": 0.5, "patience": 1}
    for mode, wanted in (("max", [1, 1, 0.5]), ("min", [1, 0.5, 0.5]), ("auto", [1, 0.5, 0.5])):
        plateau = ub.ReduceOnPlateau("validation_f1", **options, mode=mode)
        curve = [0.5, 0.6, 0.3 if mode != "max" else 0.6]
        assert Course(curve, name="validation_f1").go(plateau) == wanted
    with pytest.raises(ValueError, match="ReduceOnPlateau: mode must be 'auto', 'min' or 'max'"):
        ub.ReduceOnPlateau(mode="largest")


def test_the_rate_has_a_floor(backend_name):
    rates = Course([1] * 5).go(ub.ReduceOnPlateau(factor=0.5, patience=1, floor=0.3))
    assert rates == [1, 0.5, 0.3, 0.3, 0.3]


def test_both_go_on_from_their_state(backend_name):
    curve = [3, 2, 2, 2, 2, 2]

    def callbacks():
        return (
            ub.ReduceOnPlateau(factor=0.5, patience=2, floor=0.25),
            ub.EarlyStopping(patience=3),
        )

    whole, expected = Course(curve), callbacks()
    rates = whole.go(*expected)
    first, before = Course(curve[:3]), callbacks()
    for callback in before:
        callback.end = lambda run: None
    begun = first.go(*before)
    second, after = Course(curve, rate=first.trainer.learning_rate), callbacks()
    for old, new in zip(before, after, strict=True):
        new.load(old.state())
    assert begun + second.go(*after, loaded=3) == rates
    assert second.history.stopped == whole.history.stopped
    assert second.number == whole.number == 2
    for a, b in zip(expected, after, strict=True):
        assert {**a.state(), "numbers": 0} == {**b.state(), "numbers": 0}


def test_one_that_is_used_again_begins_anew(backend_name):
    stopping = ub.EarlyStopping()
    Course([1, 2]).go(stopping)
    course = Course([5, 4, 4])
    course.go(stopping)
    assert (len(course.history.loss), course.number) == (3, 2)


def test_arguments():
    for name, value in (("patience", -1), ("min_delta", -0.1), ("mode", "least")):
        with pytest.raises(ValueError, match=f"EarlyStopping: {name} must .*got {name}="):
            ub.EarlyStopping(**{name: value})
    for name, value in (("factor", 1.0), ("patience", 0), ("floor", 2.0), ("min_delta", -1)):
        with pytest.raises(ValueError, match=f"ReduceOnPlateau: {name} must .*got {name}="):
            ub.ReduceOnPlateau(**{name: value})


def test_a_curve_that_there_is_not(backend_name):
    with pytest.raises(ValueError, match=r"one of the curves, loss.*got 'validation_lss'"):
        Course([1]).go(ub.EarlyStopping("validation_lss"))
