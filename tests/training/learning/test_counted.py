"""A schedule counts the updates that were done, in a state too."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import squares, trainer_of

X, Y = squares()


class Rates:
    """A schedule that keeps what it was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, t):
        self.asked.append(t)
        return 1.0


def scheduled(optimizer=None, **options):
    net = ub.initialize(ub.Dense(2, in_units=3, dtype="float64"), 0)
    rates = Rates()
    return rates, ub.Trainer(net, optimizer or ub.SGD(0.1), "mse", schedule=rates, **options)


def test_a_batch_that_fails_is_no_update(backend_name):
    rates, trainer = scheduled()
    trainer.step(X, Y)
    with pytest.raises(Exception):  # noqa: B017, PT011  # each framework has its own
        ub.to_numpy(trainer.step(X[:, :2], Y))
    trainer.step(X, Y)
    assert rates.asked == [0, 1, 1]
    assert ub.state(trainer)["optimizer.step"] == ub.state(trainer)["schedule.step"] == 2
    with pytest.raises(Exception):  # noqa: B017, PT011
        trainer.epoch(X[:, :2], Y, np.arange(8), 4)
    trainer.epoch(X, Y, np.arange(8), 4)
    assert rates.asked == [0, 1, 1, 2, 3, 2, 3]
    assert ub.state(trainer)["schedule.step"] == 4


def test_the_count_goes_on_with_a_state(backend_name):
    _, trainer = scheduled(ub.SGD(0.1, 0.5))
    trainer.epoch(X, Y, np.arange(8), 2)
    rates, other = scheduled(ub.SGD(0.1, 0.5))
    ub.load_state(other, ub.state(trainer))
    other.step(X, Y)
    assert rates.asked == [4]
    assert ub.state(other)["schedule.step"] == 5


def test_a_state_without_a_count_is_of_as_many_updates_as_steps(backend_name):
    """Those of trainers without a schedule, and of before the count was kept."""
    _, trainer = scheduled()
    for _ in range(3):
        trainer.step(X, Y)
    state = ub.state(trainer)
    del state["schedule.step"]
    rates, other = scheduled()
    ub.load_state(other, state)
    other.step(X, Y)
    assert rates.asked == [3]


def test_a_trainer_without_a_schedule_keeps_none_and_takes_any(backend_name):
    _, trainer = scheduled()
    trainer.step(X, Y)
    plain = ub.Trainer(ub.initialize(ub.Dense(2, in_units=3, dtype="float64"), 0), ub.SGD(1), "mse")
    assert list(ub.state(plain)) == ["optimizer.step"]
    ub.load_state(plain, ub.state(trainer))
    assert ub.state(plain)["optimizer.step"] == 1


def test_a_count_that_is_none_is_an_error(backend_name):
    _, trainer = scheduled()
    for wrong, words in ((np.array(-1), "schedule.step below 0"), (np.zeros(2), "of shape")):
        with pytest.raises(ub.StateMismatchError, match=words):
            ub.load_state(trainer, {**ub.state(trainer), "schedule.step": wrong})


@pytest.mark.capability("mixed-precision-training")
def test_updates_that_are_left_out_count_before_and_after_a_state(backend_name):
    """Those of float16 whose gradients are not finite: a schedule goes on all the same."""
    mixed = backend_name == "tensorflow"

    def made():
        net = ub.Dense(2, in_units=3, dtype="mixed_float16" if mixed else "float32")
        rates = Rates()
        options = {"precision": "float16", "schedule": rates}
        return rates, ub.Trainer(ub.initialize(net, 0), ub.SGD(1e-6), "mse", **options)

    x, y = np.ones((4, 3), "float32"), np.full((4, 2), 1e4, "float32")
    rates, trainer = made()
    for _ in range(2):
        trainer.step(x, y)
    state = ub.state(trainer)
    assert state["optimizer.step"] < state["schedule.step"] == 2
    again, other = made()
    ub.load_state(other, state)
    other.step(x, y)
    assert (rates.asked, again.asked) == ([0, 1], [2])


def test_what_fit_has_done_is_in_the_state_of_its_trainer(backend_name):
    class Kept(ub.Callback):
        def step(self, run):
            self.within = ub.state(run.trainer)["schedule.step"]

        def epoch(self, run):
            self.after = ub.state(run.trainer)["schedule.step"]

    kept, net = Kept(), ub.Dense(2, in_units=3, dtype="float64")
    options = {"loss": "mse", "optimizer": ub.SGD(0.1), "batch_size": 2, "epochs": 2}
    ub.fit(ub.initialize(net, 0), X, Y, schedule=Rates(), callbacks=[kept], **options)
    assert kept.within == kept.after == 8
    assert "schedule.step" not in ub.state(trainer_of(ub.SGD(0.1), backend_name))
