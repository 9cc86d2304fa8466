"""Bars: only in a terminal, at most ten times a second, and what they show."""

import io
import re
import sys
from contextlib import contextmanager, redirect_stderr

import numpy as np
import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem
from unified_blocks.training.watching import progress
from unified_blocks.training.watching.progress import Bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@contextmanager
def terminal():
    """Inside the `with`, the standard error is a terminal, whose text this is.

    pytest gives each phase of a test another standard error, so that a fixture cannot do it.
    """
    pytest.importorskip("rich", reason="Rich is not installed")
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(Terminal()) as stream:
        for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            patch.delenv(name, raising=False)
        patch.setenv("TERM", "xterm")
        patch.setenv("COLUMNS", "200")
        yield stream


def words(stream):
    """What was drawn, without colours and moves of the cursor."""
    return re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", stream.getvalue())


def test_a_training_in_a_terminal(backend_name):
    x, y = problem()
    options = {"loss": "cross_entropy", "optimizer": ub.SGD(0.25)}
    with terminal() as stream:
        history = ub.fit(classifier(), x, y, epochs=2, validation=(x, y), **options)
    last = words(stream).splitlines()[-1]
    assert last.startswith("epoch 2/2 ")
    assert f"loss {history.loss[1]:.4g}  validation loss {history.validation_loss[1]:.4g}" in last
    assert "learning rate 0.25" in last
    assert re.search(r"\d:\d\d:\d\d left 0:00:00", last)


def test_long_epochs_are_looked_into_and_train_alike(backend_name, monkeypatch):
    monkeypatch.setattr(progress, "SHORT", 0.0)
    monkeypatch.setattr(progress, "OFTEN", 0.0)
    drawn, show = [], Bar.show
    monkeypatch.setattr(Bar, "show", lambda *given: drawn.append(given[2:]) or show(*given))
    nets, (x, y) = (classifier(), classifier()), problem()
    options = {"loss": "cross_entropy", "optimizer": ub.SGD(0.25, 0.5), "batch_size": 8}
    with terminal():
        shown = ub.fit(nets[0], x, y, epochs=2, metrics=["accuracy"], **options)
    plain = ub.fit(nets[1], x, y, epochs=2, metrics=["accuracy"], **options)
    assert (shown.loss, shown.metrics) == (plain.loss, plain.metrics)
    assert ub.diff_state(ub.state(nets[0]), ub.state(nets[1])).equal
    parts = [0.0, *(2 * [0.2, 0.4, 0.6, 0.8, 1.0, 1.0])]
    np.testing.assert_allclose([part for part, _ in drawn], parts)
    losses = [numbers["loss"] for _, numbers in drawn[1:]]
    np.testing.assert_allclose(
        [np.mean(losses[:5]), losses[5], losses[-1]], [losses[5], *plain.loss]
    )
    assert {"loss", "accuracy"} <= set(drawn[1][1])


def test_evaluate_and_predict_in_a_terminal(backend_name):
    net, (x, y) = classifier(), problem()
    options = {"loss": "cross_entropy", "batch_size": 16}
    with terminal() as stream:
        ub.evaluate(net, x, y, **options)
        ub.predict(net, x, batch_size=16)
        assert stream.getvalue() == ""
        ub.evaluate(net, x, y, progress=True, **options)
        assert words(stream).splitlines()[-1].startswith("evaluate 40/40 ")
        ub.predict(net, x, batch_size=16, progress=True)
        assert words(stream).splitlines()[-1].startswith("predict 40/40 ")


def test_nothing_is_drawn_elsewhere(backend_name, capfd):
    net, (x, y) = classifier(), problem()
    ub.evaluate(net, x, y, loss="cross_entropy", progress=True)
    ub.predict(net, x, progress=True)
    ub.fit(net, x, y, loss="cross_entropy", optimizer=ub.SGD(0.1))
    assert capfd.readouterr() == ("", "")


def test_without_rich_there_is_no_bar(backend_name, monkeypatch):
    with terminal() as stream:
        monkeypatch.setitem(sys.modules, "rich.progress", None)
        ub.fit(classifier(), *problem(), loss="cross_entropy", optimizer=ub.SGD(0.1))
    assert stream.getvalue() == ""


def test_an_error_leaves_the_terminal_as_it_was(backend_name):
    def loss(output, y):
        raise RuntimeError("no more")

    with terminal() as stream, pytest.raises(RuntimeError, match="no more"):
        ub.fit(classifier(), *problem(), loss=loss, optimizer=ub.SGD(0.1))
    assert stream.getvalue().endswith("\x1b[?25h")  # the cursor is seen again


class Trainer:
    learning_rate = 0.5


def drawn_of(epochs, steps, seconds):
    """What is drawn of a training whose updates take so long, and when: (time, done, part)."""
    now, drawn = 0.0, []

    def draw(done, part, words):
        drawn.append((now, done, part, words))

    bar = Bar(draw, lambda: now)
    run = ub.Run(Trainer(), ub.History(), epochs=epochs, steps_per_epoch=steps)
    bar.begin(run)
    calls = 0
    for epoch in range(1, epochs + 1):
        run.epoch, looks = epoch, bar.every != "epoch"
        for update in range(1, steps + 1):
            now += seconds
            run.updates += 1
            run.see(lambda update=update: np.array([float(update)]))
            if looks and run.updates % bar.every == 0:
                calls += 1
                bar.step(run)
        run.history.loss.append(1.0)
        bar.epoch(run)
    bar.end(run)
    return drawn, calls


@pytest.mark.parametrize("seconds", [0.0005, 0.01, 0.3])
def test_long_epochs_are_drawn_about_ten_times_a_second(seconds):
    drawn, calls = drawn_of(2, 4000, seconds)
    total = 2 * 4000 * seconds
    assert len(drawn) <= 3 + 2 * total / 0.1
    assert len(drawn) >= min(8000, total / 0.2)
    assert calls <= 2 * len(drawn) + 20
    done = [each[1] for each in drawn]
    assert done == sorted(done)
    assert done[-1] == 2
    assert {each[2] for each in drawn} == {"1/2", "2/2"}
    assert drawn[-1][3] == "loss 1  learning rate 0.5"


def test_short_epochs_are_drawn_when_they_end():
    drawn, calls = drawn_of(50, 10, 0.001)
    assert calls <= 10
    assert len(drawn) <= 1 + 50 + 2
