"""A training whose process is killed, again and again, comes to the same as one that is not.

`UNIFIED_BLOCKS_SOAK=1` kills it 50 times instead of 4.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress

import numpy as np
import pytest

from testbed.hostile import SOAK
from testbed.killed_run import same
from testbed.where import TESTBED, TESTS

KILLS = 50 if SOAK else 4
EPOCHS = 60 if SOAK else 8
SECONDS = 100
"""How long one process may take."""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")


class Trainings:
    """Starts processes that train, one after the other: a program that forks them."""

    def __init__(self, backend_name):
        path = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
        command = [sys.executable, "-W", "ignore", str(TESTBED / "killed_run.py")]
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed at exit
        self.program = subprocess.Popen(
            [*command, backend_name, str(EPOCHS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            bufsize=1,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path), "OMP_NUM_THREADS": "1"},
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.program.communicate(timeout=SECONDS)
        self.errors.close()

    def heard(self):
        """The next line: its word and its number."""
        alarm = threading.Timer(SECONDS, self.program.kill)
        alarm.start()
        line = self.program.stdout.readline()
        alarm.cancel()
        assert line, self.said()
        word, number = line.split()
        return word, int(number)

    def said(self):
        self.errors.seek(0)
        return self.errors.read()[-3000:]

    def start(self, folder, out):
        """The number of a process that trains, after its first update; None when it has ended."""
        print(json.dumps([str(folder), str(out)]), file=self.program.stdin)
        word, number = self.heard()
        if word == "ready":
            return number
        assert number == 0, self.said()  # it had nothing left to do
        return None

    def end(self):
        """Wait until the process is over; its exit status."""
        word, status = self.heard()
        assert word == "ended"
        return status

    def finish(self, folder, out):
        """Train to the end; how many seconds there were after the first update."""
        if self.start(folder, out) is None:
            return 0.0
        began = time.perf_counter()
        assert self.end() == 0, self.said()
        return time.perf_counter() - began


def arrays(path):
    with np.load(path) as file:
        return dict(file)


def test_killed_at_any_moment_it_comes_to_the_same(tmp_path, backend_name):
    rng, killed = np.random.default_rng(11), 0
    cut = tmp_path / "cut", tmp_path / "cut.npz"
    with Trainings(backend_name) as trainings:
        left = 0.8 * trainings.finish(tmp_path / "whole", tmp_path / "whole.npz")
        for _ in range(KILLS):
            process = trainings.start(*cut)
            if process is None:
                break
            time.sleep(rng.uniform(0, left / KILLS))
            with suppress(ProcessLookupError):  # it may have ended
                os.kill(process, signal.SIGKILL)
            if trainings.end() == 0:
                break
            killed += 1
        trainings.finish(*cut)
    assert killed >= KILLS // 2
    same(arrays(tmp_path / "cut.npz"), arrays(tmp_path / "whole.npz"))
