"""Callbacks: when they are called, what they are told, and how they stop a training."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem

OPTIONS = {"loss": "cross_entropy", "optimizer": ub.SGD(0.125), "batch_size": 16}


class Noting(ub.Callback):
    def __init__(self, notes, name="it", stops_at=None):
        self.notes, self.name, self.stops_at = notes, name, stops_at

    def note(self, what, run):
        self.notes.append((self.name, what, run.epoch, run.updates))

    def begin(self, run):
        assert np.isnan(run.loss)
        self.note("begin", run)

    def epoch(self, run):
        assert run.loss == run.history.loss[-1]
        assert run.metrics == {}
        self.note("epoch", run)
        if run.epoch == self.stops_at:
            run.stop("enough")
            run.stop("more than enough")

    def end(self, run):
        self.note("end", run)


def test_they_are_called_in_order(backend_name):
    notes = []
    callbacks = [Noting(notes, "one"), Noting(notes, "other")]
    ub.fit(classifier(), *problem(), epochs=2, callbacks=callbacks, **OPTIONS)
    moments = [("begin", 0, 0), ("epoch", 1, 3), ("epoch", 2, 6), ("end", 2, 6)]
    assert notes == [(name, *moment) for moment in moments for name in ("one", "other")]


def test_one_stops_a_training_after_the_others_were_called(backend_name):
    notes = []
    callbacks = [Noting(notes, "one", stops_at=2), Noting(notes, "other")]
    history = ub.fit(classifier(), *problem(), epochs=9, callbacks=callbacks, **OPTIONS)
    assert history.stopped == "enough"
    assert len(history.loss) == 2
    assert notes[-3:] == [("other", "epoch", 2, 6), ("one", "end", 2, 6), ("other", "end", 2, 6)]


def test_they_are_told_of_the_training(backend_name):
    seen = []

    class Told(ub.Callback):
        def epoch(self, run):
            assert isinstance(run, ub.Run)
            seen.append((run.epochs, run.steps_per_epoch, run.is_writer, run.stopped))
            assert run.net is run.trainer.net is net
            run.trainer.learning_rate = 0.25

    net = classifier()
    history = ub.fit(net, *problem(), epochs=2, callbacks=[Told()], **OPTIONS)
    assert seen == 2 * [(2, 3, True, None)]
    assert history.learning_rate == [0.125, 0.25]


def test_an_error_ends_a_training_without_its_end(backend_name):
    class Failing(ub.Callback):
        def epoch(self, run):
            raise LookupError("gone")

        def end(self, run):
            raise AssertionError

    with pytest.raises(LookupError, match="gone"):
        ub.fit(classifier(), *problem(), callbacks=[Failing()], **OPTIONS)


def test_values_are_read_when_they_are_asked_for_and_once():
    run = ub.Run(None, ub.History(), epochs=1, steps_per_epoch=None, metrics=["accuracy"])
    assert np.isnan([run.loss, run.metrics["accuracy"]]).all()
    reads = []

    def read():
        reads.append(1)
        return np.array([2.0, 0.5])

    run.see(read)
    assert reads == []
    assert (run.loss, run.metrics, run.loss) == (2.0, {"accuracy": 0.5}, 2.0)
    assert reads == [1]
    run.see(lambda: np.array([1.0, 1.0]))
    assert run.loss == 1.0


def test_one_that_does_nothing():
    it, run = ub.Callback(), None
    assert (it.begin(run), it.step(run), it.epoch(run), it.end(run)) == (None,) * 4
    assert it.state() == {}
    assert it.load({}) is None
    assert it.every == 1
