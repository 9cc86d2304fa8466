"""A worker that is killed: the others end within a minute, with an error that names it."""

import os
import signal
import time

import numpy as np
import pytest

from testbed.common import HERE
from testbed.launching import ENGINES, IN_ONE_PROCESS, Launched, launch

MANY = [name for name in ENGINES if name not in IN_ONE_PROCESS and ENGINES[name] in HERE]
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


@pytest.mark.parametrize("engine", MANY)
def test_a_run_goes_on_with_another_number_of_workers(engine, tmp_path):
    """Killed with two, it goes on with three, and ends as one process that nobody disturbed."""
    program, how = "distributed_program.py", ["distributed=fsdp"] * (engine == "fsdp")
    given = (ENGINES[engine], tmp_path / "all.npz", "epochs=6", "optimizer=adam", "net=mlp")
    keeping = f"checkpoint={tmp_path / 'run'}"
    with Launched(engine, 2, program, *given, keeping, "pause=0.3", *how, timeout=120) as launched:
        launched.wait_for("epoch 3")
        os.killpg(launched.workers[1].pid, signal.SIGKILL)
        launched.workers[0].process.wait(60)
    assert not (tmp_path / "all.npz").exists()
    results = launch(engine, 3, program, *given, keeping, "pause=0.01", *how, timeout=120)
    told = "".join(result.out for result in results)
    assert "epoch 6" in told
    assert "epoch 2\n" not in told
    alone = (ENGINES[engine], tmp_path / "alone.npz", *given[2:], "distributed=None")
    launch("alone", 1, program, *alone, timeout=120)
    found, expected = np.load(tmp_path / "all.npz"), np.load(tmp_path / "alone.npz")
    assert found.files == expected.files
    for name in expected.files:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("engine", MANY)
def test_the_others_name_the_worker_that_left(engine, tmp_path):
    """`sys.exit` ends a process as if it had finished."""
    given = ("epochs=100000", "leaves=1", *(["distributed=fsdp"] * (engine == "fsdp")))
    program = ("distributed_program.py", ENGINES[engine], tmp_path / "all.npz", *given)
    with Launched(engine, 2, *program, timeout=150) as launched:
        for each in launched.workers:
            each.process.wait(100)
        for each in launched.workers:
            for reader in each.readers:
                reader.join(10)
        statuses = sorted(each.process.returncode for each in launched.workers)
        assert statuses[0] != 0, launched.told()
        assert "worker 1 of 2" in launched.told(), launched.told()
        assert "has ended" in launched.told(), launched.told()
    assert not (tmp_path / "all.npz").exists()
