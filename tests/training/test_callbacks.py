"""Callbacks: when they are called, what they are told, and how they stop a training."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem
from training.test_training_counts import reads_of

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


class Looking(ub.Callback):
    def __init__(self, every=1, stops_at=None, changes_to=None):
        self.every, self.stops_at, self.changes_to = every, stops_at, changes_to
        self.seen = []

    def step(self, run):
        self.seen.append(run.updates)
        if run.updates == self.stops_at:
            run.stop("seen enough")
        if self.changes_to:
            self.every = self.changes_to


def test_one_is_called_after_so_many_updates(backend_name):
    every, third, other, none = Looking(), Looking(3), Looking(2, changes_to=3), Looking("epoch")
    looking = [every, third, other, none]
    ub.fit(classifier(), *problem(), epochs=3, callbacks=looking, **OPTIONS)
    assert every.seen == list(range(1, 10))
    assert third.seen == [3, 6, 9]
    assert other.seen == [2, 3, 6, 9]
    assert none.seen == []


@pytest.mark.parametrize("every", [0, -1, 0.5, "step", None])
def test_a_number_of_updates_that_is_none_is_an_error(backend_name, every):
    with pytest.raises(ValueError, match="every of a Looking must be a number of updates"):
        ub.fit(classifier(), *problem(), callbacks=[Looking(every)], **OPTIONS)


def test_looking_at_updates_changes_no_number(backend):
    """Of an epoch in one call and of one update by update, to the bit, with Adam too."""
    for optimizer in (ub.SGD(0.125, 0.875), ub.Adam(0.01)):
        nets, options = (classifier(), classifier()), {**OPTIONS, "optimizer": optimizer}
        whole = ub.fit(nets[0], *problem(), epochs=3, **options)
        single = ub.fit(nets[1], *problem(), epochs=3, callbacks=[Looking(2)], **options)
        assert whole.loss == single.loss
        assert ub.diff_state(ub.state(nets[0]), ub.state(nets[1])).equal


def test_losses_of_updates_are_those_of_the_epoch(backend_name):
    class Reading(ub.Callback):
        def __init__(self):
            self.losses = []

        def step(self, run):
            assert run.loss == run.loss
            self.losses.append(run.loss)

    reading = Reading()
    history = ub.fit(classifier(), *problem(), callbacks=[reading], **OPTIONS)
    np.testing.assert_allclose(np.average(reading.losses, weights=[16, 16, 8]), history.loss[0])


def test_who_does_not_read_the_loss_does_not_wait_for_it(backend):
    class Reading(ub.Callback):
        every = 2

        def step(self, run):
            return run.loss, run.loss

    for callback, reads in ((Looking(), 2), (Reading(), 2 + 3)):  # of 2 epochs and 6 updates
        net = classifier()
        with reads_of(backend) as found:
            ub.fit(net, *problem(), epochs=2, callbacks=[callback, callback], **OPTIONS)
        assert len(found) == reads


def test_one_stops_in_the_middle_of_an_epoch(backend_name):
    notes, looking = [], Looking(stops_at=5)
    callbacks = [looking, Noting(notes)]
    net = classifier()
    history = ub.fit(
        net, *problem(), epochs=9, validation=problem(), callbacks=callbacks, **OPTIONS
    )
    assert history.stopped == "seen enough"
    assert looking.seen == [1, 2, 3, 4, 5]
    assert len(history.loss) == len(history.validation_loss) == 2
    assert notes[-2:] == [("it", "epoch", 2, 5), ("it", "end", 2, 5)]
    twin = classifier()
    trainer, (x, y) = ub.Trainer(twin, OPTIONS["optimizer"], "cross_entropy"), problem()
    generator = np.random.Generator(np.random.PCG64(0))
    for count in (3, 2):
        trainer.epoch(x, y, generator.permutation(40)[: count * 16], 16)
    assert ub.diff_state(ub.state(net), ub.state(twin)).equal


def test_one_that_stops_at_the_beginning_trains_nothing(backend_name):
    class Unwilling(ub.Callback):
        def begin(self, run):
            run.stop("no")

    net = classifier()
    before = ub.state(net)
    history = ub.fit(net, *problem(), callbacks=[Unwilling()], **OPTIONS)
    assert (history.loss, history.stopped) == ([], "no")
    assert ub.diff_state(before, ub.state(net)).equal


def test_one_may_use_the_model_while_it_trains(backend_name):
    """Evaluating it, reading its numbers, and another learning rate."""

    class Using(ub.Callback):
        def step(self, run):
            found = ub.evaluate(run.net, *problem(), loss="cross_entropy")["loss"]
            assert np.isfinite(found)
            assert ub.state(run.net)["out.bias"].shape == (4,)
            run.trainer.learning_rate = 0.0625

    nets = classifier(), classifier()
    history = ub.fit(nets[0], *problem(), callbacks=[Using()], **OPTIONS)
    assert history.learning_rate == [0.0625]
    order = np.random.Generator(np.random.PCG64(0)).permutation(40)
    trainer = ub.Trainer(nets[1], OPTIONS["optimizer"], "cross_entropy")
    for rows in (order[:16], order[16:32], order[32:]):
        trainer.step(*(data[rows] for data in problem()))
        trainer.learning_rate = 0.0625
    assert ub.diff_state(ub.state(nets[0]), ub.state(nets[1])).equal


def test_those_of_the_library_have_their_places(backend_name, tmp_path):
    order = []

    def named(kind, *arguments):
        class Named(kind):
            def begin(self, run):
                order.append(("begin", kind.__name__))
                super().begin(run)

            def epoch(self, run):
                order.append(("epoch", kind.__name__))
                super().epoch(run)

        return Named(*arguments)

    callbacks = [
        named(ub.Checkpoint, tmp_path),
        named(ub.Callback),
        named(ub.EarlyStopping, "loss"),
        named(ub.ReduceOnPlateau, "loss"),
    ]
    ub.fit(classifier(), *problem(), callbacks=callbacks, **OPTIONS)
    others = ["ReduceOnPlateau", "EarlyStopping", "Callback"]
    assert order == [
        *(("begin", name) for name in ("Checkpoint", *others)),
        *(("epoch", name) for name in (*others, "Checkpoint")),
    ]


@pytest.mark.parametrize(
    ("callbacks", "words"),
    [
        (ub.Callback(), r"callbacks must be a list; got a Callback: write callbacks=\["),
        ([ub.EarlyStopping], r"an instance; got the class EarlyStopping: call it, EarlyStopping\("),
        ([print], "must be a ub.Callback; got a builtin_function_or_method"),
    ],
)
def test_what_is_no_callback_is_an_error(backend_name, callbacks, words):
    with pytest.raises(TypeError, match=words):
        ub.fit(classifier(), *problem(), callbacks=callbacks, **OPTIONS)


def test_two_checkpoints_are_an_error(backend_name, tmp_path):
    kept = ub.Checkpoint(tmp_path)
    with pytest.raises(ValueError, match="there must be one checkpoint"):
        ub.fit(classifier(), *problem(), callbacks=[kept], checkpoint=tmp_path, **OPTIONS)


def test_a_training_that_stopped_in_an_epoch_ends_it_when_it_goes_on(backend_name, tmp_path):
    """It was ended after the save of the update that stopped it, before the end of its epoch."""

    class Ended(KeyboardInterrupt):
        pass

    class Ending(ub.Checkpoint):
        def step(self, run):
            super().step(run)
            if run.stopped:
                raise Ended

    def fit(net, checkpoint):
        callbacks = [Looking(stops_at=5)]
        options = {**OPTIONS, "callbacks": callbacks, "checkpoint": checkpoint}
        return ub.fit(net, *problem(), epochs=9, validation=problem(), **options)

    nets = classifier(), classifier()
    with pytest.raises(Ended):
        fit(classifier(), Ending(tmp_path / "run", every=1))
    again = fit(nets[0], ub.Checkpoint(tmp_path / "run", every=1))
    whole = fit(nets[1], ub.Checkpoint(tmp_path / "whole", every=1))
    assert (again.loss, again.stopped) == (whole.loss, "seen enough")
    assert again.validation_loss == whole.validation_loss
    assert ub.diff_state(ub.state(nets[0]), ub.state(nets[1])).equal
