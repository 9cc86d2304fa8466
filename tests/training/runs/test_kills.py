"""A training whose process is killed, again and again, comes to the same as one that is not.

`UNIFIED_BLOCKS_SOAK=1` kills it 50 times instead of 2: after each, a process imports its
framework anew.
"""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from testbed.hostile import SOAK
from testbed.killed_run import same
from testbed.where import TESTBED, TESTS

KILLS = 50 if SOAK else 2
EPOCHS = 60 if SOAK else 8
SECONDS = 100
"""How long one process may take."""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")


def started(backend_name, folder, out):
    """A process that trains, after its first update."""
    path = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-W", "ignore", str(TESTBED / "killed_run.py")]
    process = subprocess.Popen(
        [*command, backend_name, str(folder), str(out), str(EPOCHS)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path), "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout.readline() in ("ready\n", ""), process.communicate()
    return process


def finished(process):
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors[-3000:]


def arrays(path):
    with np.load(path) as file:
        return dict(file)


def test_killed_at_any_moment_it_comes_to_the_same(tmp_path, backend_name):
    process = started(backend_name, tmp_path / "whole", tmp_path / "whole.npz")
    began = time.perf_counter()
    finished(process)
    left = 0.8 * (time.perf_counter() - began)
    rng, killed = np.random.default_rng(11), 0
    for _ in range(KILLS):
        process = started(backend_name, tmp_path / "cut", tmp_path / "cut.npz")
        time.sleep(rng.uniform(0, left / KILLS))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=SECONDS)
        killed += 1
    finished(started(backend_name, tmp_path / "cut", tmp_path / "cut.npz"))
    assert killed >= KILLS // 2
    same(arrays(tmp_path / "cut.npz"), arrays(tmp_path / "whole.npz"))
