"""A training with all that it can hold, which tests end at any moment: a program.

It gets a backend and a number of epochs, and imports what it needs. For each line with a folder
and a file, as JSON, it forks a process that trains: to import a framework takes longer than that
training. The process says `ready` and its number after its first update, and writes what it came to
into the file; when it is over, its exit status is said.
"""

import json
import os
import sys
import time

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from unified_blocks.backend.tensors import backend_of

EPOCHS, BATCH, UPDATES = 6, 8, 6
"""How many epochs, how many samples to a batch, how many updates to an epoch."""
OPTIONS = {"loss": "cross_entropy", "epochs": EPOCHS, "batch_size": BATCH, "seed": 3}


def problem(dtype="float32"):
    """Inputs (44, 6) and labels of 4 classes; the last batch is smaller."""
    x = normal(44, 6, dtype=dtype)
    return x, (x[:, :4] + 0.1 * normal(44, 4, seed=1)).argmax(axis=1)


def network(seed=5, dtype="float32", rate=0.25):
    """A network that drops."""
    with ub.use_dtype(dtype):
        net = ub.MySequential(
            ub.Dense(16, activation="tanh", in_units=6),
            ub.Dropout(rate),
            ub.Dense(4, in_units=16),
        )
    return ub.initialize(net, seed)


def frozen(net, *names):
    """`net`, whose parameters of these names are not trained."""
    for v in backend_of(net).variables(net):
        if v.name in names:
            v.freeze()
    return net


class Seen(ub.Callback):
    """Keeps the trainer; raises before one of the updates or epochs is over, if it is told so."""

    def __init__(self, *, update=None, epoch=None, pause=0.0, ready=False):
        self.at_update, self.at_epoch = update, epoch
        self.pause, self.ready = pause, ready
        self.updates = []

    def begin(self, run):
        self.trainer = run.trainer

    def step(self, run):
        self.updates.append(run.updates)
        if self.ready:
            print("ready", os.getpid(), flush=True)
            self.ready = False
        time.sleep(self.pause)
        if run.updates == self.at_update:
            raise CutError

    def epoch(self, run):
        if run.epoch == self.at_epoch:
            raise CutError


class CutError(Exception):
    """Stands for the end of a process."""


def result(net, trainer, history):
    """All that a training came to, as arrays by name."""
    found = {**ub.state(net), **ub.state(trainer)}
    for slot in trainer.training_step.averages():
        found[f"average.{slot.name}"] = slot.read()
    for name, curve in history.to_dict().items():
        if name != "seconds":
            found[f"history.{name}"] = np.array(curve)
    return found


def train(folder, *, every="epoch", net=None, seen=None, optimizer=None, **changes):
    """Train, or go on: what it came to."""
    net = network() if net is None else net
    seen = Seen() if seen is None else seen
    x, y = changes.pop("data", None) or problem()
    options = {"optimizer": ub.SGD(0.1, momentum=0.9), **OPTIONS, **changes}
    if optimizer is not None:
        options["optimizer"] = optimizer
    options["callbacks"] = [seen, *options.get("callbacks", ())]
    history = ub.fit(net, x, y, checkpoint=ub.Checkpoint(folder, every), **options)
    return result(net, seen.trainer, history)


def same(found, wanted):
    """Check that two trainings came to the same, to the last bit."""
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def everything(epochs=EPOCHS):
    """All of what a training can hold."""
    x, y = problem()
    return {
        "epochs": epochs,
        "optimizer": ub.Adam(0.01),
        "schedule": ub.CosineDecay(epochs * UPDATES),
        "average": 0.9,
        "metrics": ["accuracy"],
        "validation": (x[:20], y[:20]),
        "callbacks": [ub.EarlyStopping(patience=epochs)],
    }


def asked():
    """The folder and the file that a line asks for, in a process of its own for each."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            return json.loads(line)
        _, status = os.waitpid(child, 0)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)
    sys.exit()


if __name__ == "__main__":
    backend, epochs = sys.argv[1:]
    ub.get_backend(backend)  # it computes nothing yet, so that a fork has all that it needs
    folder, out = asked()
    with ub.use_backend(backend):
        seen = Seen(pause=0.01, ready=True)
        found = train(folder, every=3, seen=seen, **everything(int(epochs)))
    np.savez(out, **found)
