"""What a training that is cut must come to, for mistakes that are planted in how it is kept."""

import tempfile
from pathlib import Path

import pytest

import unified_blocks as ub
from testbed.killed_run import CutError, Seen, network, problem, same, train


class Counts(ub.Callback):
    """Lowers the learning rate by what it has counted, so that the count and the rate matter."""

    def __init__(self):
        self.count = 0

    def epoch(self, run):
        self.count += 1
        run.trainer.learning_rate /= 1 + self.count

    def state(self):
        return {"count": self.count}

    def load(self, state):
        self.count = state["count"]


def goes_on(backend_name, **where):
    """It is cut there, and another network goes on from its last save."""
    validation = {"validation": problem(), "average": 0.5, "epochs": 3}

    def options():
        return {"every": 2, "callbacks": [Counts()], **validation}

    with tempfile.TemporaryDirectory() as folder:
        wanted = train(Path(folder, "whole"), **options())
        with pytest.raises(CutError):
            train(Path(folder, "cut"), seen=Seen(**where), **options())
        same(train(Path(folder, "cut"), net=network(seed=77), **options()), wanted)


def goes_on_in_an_epoch(backend_name):
    goes_on(backend_name, update=9)


def goes_on_after_an_epoch(backend_name):
    """The save is that of the end of the first epoch."""
    goes_on(backend_name, update=7)
