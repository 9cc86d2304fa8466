"""`History`: curves by name, the best of each, a table and a drawing."""

import math
import sys

import pytest

import unified_blocks as ub
from testbed.learning import classifier, problem

NAN = math.nan


def some():
    return ub.History(
        loss=[3.0, 2.0, NAN, 1.0],
        validation_loss=[3.0, 1.5, 1.5, 2.0],
        metrics={"accuracy": [0.1, 0.5, 0.5, 0.4], "validation_accuracy": [0.1, 0.2, 0.3, 0.2]},
        learning_rate=[0.1] * 4,
        seconds=[1.0] * 4,
    )


def test_fit_fills_it(backend_name):
    data = problem()
    history = ub.fit(
        classifier(),
        *data,
        loss="cross_entropy",
        optimizer=ub.SGD(0.25),
        epochs=3,
        validation=data,
    )
    assert list(history.to_dict()) == [
        "epoch",
        "loss",
        "validation_loss",
        "learning_rate",
        "seconds",
    ]
    assert {len(curve) for curve in history.to_dict().values()} == {3}
    assert history["loss"] is history.loss
    assert history.learning_rate == [0.25] * 3
    assert min(history.seconds) > 0
    assert history.stopped is None


def test_curves_by_name():
    history = some()
    assert history["validation_accuracy"] == [0.1, 0.2, 0.3, 0.2]
    with pytest.raises(KeyError, match=r"one of loss, validation_loss, accuracy, .*got 'f1'"):
        history["f1"]
    with pytest.raises(KeyError, match="one of none; got 'loss'"):
        ub.History()["loss"]
    columns = history.to_dict()
    columns["loss"].append(0.0)
    assert len(history.loss) == 4
    assert columns["epoch"] == [1, 2, 3, 4]


def test_the_best_is_the_first_of_the_smallest_or_of_the_largest_accuracies():
    history = some()
    assert history.best() == (2, 1.5)
    assert history.best("loss") == (4, 1.0)
    assert history.best("accuracy") == (2, 0.5)
    assert history.best("validation_accuracy") == (3, 0.3)
    with pytest.raises(KeyError, match="'validation_loss'"):
        ub.History(loss=[1.0]).best()
    with pytest.raises(ValueError, match="got nan in each of 2 epochs"):
        ub.History(loss=[NAN, NAN]).best("loss")


def test_what_the_best_is_can_be_told():
    history = ub.History(loss=[1.0] * 3, metrics={"f1": [0.2, 0.6, NAN], "accuracy": [0.5, 0.1]})
    assert history.best("f1") == (1, 0.2)
    assert history.best("f1", mode="max") == (2, 0.6)
    assert history.best("accuracy", mode="min") == (2, 0.1)
    assert history.best("accuracy", mode="auto") == (1, 0.5)
    with pytest.raises(
        ValueError, match="best: mode must be 'auto', 'min' or 'max'; got mode='most'"
    ):
        history.best("f1", mode="most")


def test_a_notebook_shows_a_table_of_the_last_epochs():
    found = some()._repr_html_()
    assert found.count("<tr>") == 5
    assert "<th>validation accuracy</th>" in found
    assert "<caption>" not in found
    long = ub.History(loss=[1.0] * 50, stopped="x < y")._repr_html_()
    assert long.count("<tr>") == 21
    assert "the last 20 of 50 epochs; stopped: x &lt; y" in long


class Axes:
    def __init__(self):
        self.drawn, self.label = [], None

    def plot(self, x, y, label):
        assert list(x) == list(range(1, len(y) + 1))
        self.drawn.append(label)

    def set_xlabel(self, label):
        assert label == "epoch"

    def set_ylabel(self, label):
        self.label = label

    def legend(self):
        pass


def test_it_draws_each_quantity_with_that_of_the_validation_data():
    two = [Axes(), Axes()]
    assert some().plot(two) == two
    assert [ax.drawn for ax in two] == [
        ["loss", "validation loss"],
        ["accuracy", "validation accuracy"],
    ]
    assert [ax.label for ax in two] == ["loss", "accuracy"]
    one = Axes()
    assert some().plot(one) == [one, one]
    assert len(one.drawn) == 4
    with pytest.raises(ValueError, match="one for each of loss, accuracy; got 3"):
        some().plot([Axes(), Axes(), Axes()])


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'unified-blocks\[plot\]'"):
        some().plot()


def test_matplotlib_draws_it():
    matplotlib = pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    axes = some().plot()
    assert [ax.get_ylabel() for ax in axes] == ["loss", "accuracy"]
    line, other = axes[1].get_lines()
    assert list(line.get_xdata()) == [1, 2, 3, 4]
    assert list(other.get_ydata()) == [0.1, 0.2, 0.3, 0.2]
    axes[0].figure.canvas.draw()
    given = pyplot.figure().add_subplot()
    assert some().plot(given) == [given, given]
    assert len(given.get_lines()) == 4
    pyplot.close("all")
