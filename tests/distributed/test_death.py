"""A worker that is killed: the others end within a minute, with an error that names it."""

import os
import signal
import time

import pytest

from testbed.common import HERE
from testbed.launching import ENGINES, Launched

MANY = [name for name in ENGINES if name != "mirrored" and ENGINES[name] in HERE]
"""The engines of several processes."""


@pytest.mark.parametrize("victim", [1, 0])
@pytest.mark.parametrize("engine", MANY)
def test_the_others_name_the_worker_that_was_killed(engine, victim, tmp_path):
    given = ("epochs=100000", "pause=0.05", *(["distributed=fsdp"] * (engine == "fsdp")))
    program = ("distributed_program.py", ENGINES[engine], tmp_path / "all.npz", *given)
    with Launched(engine, 2, *program, timeout=150) as launched:
        for worker in range(2):
            launched.wait_for("epoch 2", worker)
        told = [each.out.rpartition("rank ")[2][:1] for each in launched.workers]
        killed, other = (launched.workers[told.index(str(i))] for i in (victim, 1 - victim))
        os.killpg(killed.pid, signal.SIGKILL)
        began = time.monotonic()
        other.process.wait(60)
        seconds = time.monotonic() - began
        for reader in other.readers:
            reader.join(10)
        assert other.process.returncode not in (0, None), launched.told()
        assert f"worker {victim} of 2" in other.err, launched.told()
        assert f"process {killed.pid}) has ended" in other.err, launched.told()
        assert "with checkpoint= the training goes on" in other.err, launched.told()
        print(engine, victim, f"{seconds:.1f} s")
        assert seconds < 60
        assert not (tmp_path / "all.npz").exists()
