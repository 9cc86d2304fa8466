"""Checkpoints of which each process writes its part, by PyTorch's own distributed checkpoints."""

import signal

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE
from testbed.launching import Launched, launch
from unified_blocks.training.runs.checkpoint import FILE, PARTS

pytestmark = pytest.mark.skipif("torch" not in HERE, reason="PyTorch is not installed")
PROGRAM = "distributed_program.py"
GIVEN = ("optimizer=adam", "average=0.5", "net=transformer")


def trained(folder, engine, workers, *given):
    file = folder / f"{engine}{workers}.npz"
    how = {"fsdp": ["distributed=fsdp"], "alone": ["distributed=None"]}.get(engine, [])
    launch(engine, workers, PROGRAM, "torch", file, *GIVEN, *given, *how, timeout=150)
    return np.load(file)


def test_it_goes_on_in_another_number_of_processes_and_in_one(tmp_path):
    run = tmp_path / "run"
    keeping = f"checkpoint={run}"
    trained(tmp_path, "fsdp", 2, "epochs=2", keeping, "parts=1")
    (parts,) = (run / name for name in PARTS if (run / name).exists())
    assert len(list(parts.glob("__*_*.distcp"))) == 2  # from each of the processes
    names = set(ub.read_state(run / FILE))
    assert not any(name.endswith(("weight", "bias", "mean", "variance")) for name in names)
    trained(tmp_path, "fsdp", 3, "epochs=4", keeping, "parts=1")
    found = trained(tmp_path, "alone", 1, "epochs=5", keeping)
    assert [each.name for each in run.iterdir()] == [FILE]  # the whole is in the file again
    expected = trained(tmp_path / "apart", "alone", 1, "epochs=5")
    assert found.files == expected.files
    for name in expected.files:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-9, err_msg=name)


def test_killed_in_the_middle_of_a_save_it_goes_on(tmp_path):
    """By the parts that the file names: those before, until it is replaced."""
    run = tmp_path / "run"
    given = (*GIVEN, "epochs=5", f"checkpoint={run}", "parts=1", "pause=0.01")
    for place, began in (("writing", 1), ("written", 2), ("replaced", 3)):
        program = (PROGRAM, "torch", tmp_path / "none.npz", *given, "distributed=fsdp")
        with Launched("fsdp", 2, *program, f"dies={place}", timeout=120) as launched:
            for worker in launched.workers:
                worker.process.wait(100)
                for reader in worker.readers:
                    reader.join(10)
            codes = [worker.process.returncode for worker in launched.workers]
            assert codes.count(-signal.SIGKILL) == 1, launched.told()
            out = launched.workers[0].out
            assert [f"epoch {began}\n" in out, f"epoch {began - 1}\n" in out] == [True, False], (
                launched.told()
            )
        both = [(run / name).exists() for name in PARTS]
        assert both == [True, True]  # those of the file, and the others
    found = trained(tmp_path, "alone", 1, "epochs=5", f"checkpoint={run}")
    expected = trained(tmp_path / "apart", "alone", 1, "epochs=5")
    assert found.files == expected.files
    for name in expected.files:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-9, err_msg=name)


def test_parts_that_are_not_seen_are_an_error(tmp_path):
    keeping = f"checkpoint={tmp_path / 'run'}"
    trained(tmp_path, "fsdp", 2, "epochs=1", keeping, "parts=1")
    for name in PARTS:
        if (tmp_path / "run" / name).exists():
            (tmp_path / "run" / name).rename(tmp_path / "elsewhere")
    with pytest.raises(AssertionError, match="must be on a disk that each process sees"):
        trained(tmp_path, "alone", 1, "epochs=2", keeping)


def test_who_holds_all_of_the_parameters_writes_no_parts(tmp_path):
    x = np.ones((4, 3), "float32")
    with ub.use_backend("torch"):
        net = ub.MLP(4, 3)
    with pytest.raises(ub.UnsupportedError, match="of which it holds all"):
        ub.fit(
            net,
            x,
            x,
            loss="mse",
            optimizer=ub.SGD(0.1),
            checkpoint=ub.Checkpoint(tmp_path, parts=True),
        )
