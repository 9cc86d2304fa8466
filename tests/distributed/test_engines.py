"""On every engine several workers give the losses and weights of one process.

By SGD and by Adam, one after the other. The short form takes ten steps of one network;
`UNIFIED_BLOCKS_SOAK=1` takes fifty, of three networks, with 2 and 4 workers.
"""

import os

import numpy as np
import pytest

from testbed.common import HERE
from testbed.launching import ENGINES, IN_ONE_PROCESS, launch

SOAK = bool(os.environ.get("UNIFIED_BLOCKS_SOAK"))
NETS = ("mlp", "lenet", "transformer") if SOAK else ("mlp",)
PROGRAM = "distributed_program.py"
TIMEOUT = 300 if SOAK else 120


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    if ENGINES[request.param] not in HERE:
        pytest.skip(f"{ENGINES[request.param]} is not installed")
    return request.param


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What one process gives: computed once for each backend, network and optimizer."""
    kept = {}

    def of(backend_name, *given):
        key = (backend_name, *given)
        if key not in kept:
            kept[key] = tmp_path_factory.mktemp("alone") / "numbers.npz"
            arguments = (backend_name, kept[key], *given, "distributed=None")
            launch("alone", 1, PROGRAM, *arguments, timeout=TIMEOUT)
        return np.load(kept[key])

    return of


def check_alike(engine, workers, folder, alone, *given):
    file, how = folder / "all.npz", [f"distributed={engine}"] if engine == "fsdp" else []
    launch(engine, workers, PROGRAM, ENGINES[engine], file, *given, *how, timeout=TIMEOUT)
    files = sorted(folder.glob("all*.npz"))
    assert len(files) == (1 if engine in IN_ONE_PROCESS else workers)
    expected = alone(ENGINES[engine], *given)
    for file in files:  # each process has the same
        check_same(file, expected)


def check_same(file, expected):
    found = np.load(file)
    assert found.files == expected.files
    for name in expected.files:
        assert found[name].dtype == np.float64
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-9)


@pytest.mark.parametrize("workers", (2, 4) if SOAK else (2,))
@pytest.mark.parametrize("net", NETS)
def test_many_are_as_one(engine, workers, net, tmp_path, alone):
    given = (f"net={net}", "optimizer=sgd+adam", f"epochs={10 if SOAK else 2}")
    check_alike(engine, workers, tmp_path, alone, *given)


def test_a_batch_with_fewer_samples_than_workers_is_right(engine, tmp_path, alone):
    """The last batch has one sample: all workers but one have none of their own."""
    check_alike(engine, 3, tmp_path, alone, "samples=21", "epochs=2")


@pytest.mark.parametrize("given", [("weights=1",), ("looked=1",), ("looked=2",)], ids="".join)
def test_weights_metrics_and_callbacks_are_of_the_whole_batch(engine, given, tmp_path, alone):
    check_alike(engine, 2, tmp_path, alone, "epochs=2", *given)


def test_devices_of_the_framework_s_own_are_honoured(engine, tmp_path, alone):
    """A strategy's scope, several contexts: `fit` deals the batches out to what the net is on."""
    if engine not in IN_ONE_PROCESS:
        pytest.skip("a process for each device")
    given, file = ("epochs=2", "optimizer=adam"), tmp_path / "all.npz"
    backend = ENGINES[engine]
    (result,) = launch(
        engine, 2, PROGRAM, backend, file, *given, "distributed=own", timeout=TIMEOUT
    )
    assert "shares 2" in result.out
    check_same(file, alone(backend, *given))


def test_loaders_of_uneven_shares_are_as_one(engine, tmp_path, alone):
    if engine in IN_ONE_PROCESS:
        pytest.skip("one process has one loader")
    check_alike(engine, 2, tmp_path, alone, "epochs=2", "loaded=1")


def test_a_loader_with_fewer_batches_is_an_error(engine, tmp_path):
    if engine in IN_ONE_PROCESS:
        pytest.skip("one process has one loader")
    how = [f"distributed={engine}"] if engine == "fsdp" else []
    given = (ENGINES[engine], tmp_path / "all.npz", "epochs=2", "loaded=2", *how)
    with pytest.raises(AssertionError, match="each worker must have as many batches as the others"):
        launch(engine, 2, PROGRAM, *given, timeout=TIMEOUT)


def test_options_of_a_step_are_of_the_whole_batch(engine, tmp_path):
    """Weights, metrics, rates, accumulation; epochs, pieces of one, and batches of one's own."""
    program, backend = "distributed_steps.py", ENGINES[engine]
    launch("alone", 1, program, backend, tmp_path / "alone.npz", "None", timeout=TIMEOUT)
    how = "fsdp" if engine == "fsdp" else "auto"
    launch(engine, 2, program, backend, tmp_path / "both.npz", how, timeout=TIMEOUT)
    found, expected = np.load(tmp_path / "both.npz"), np.load(tmp_path / "alone.npz")
    assert found.files == expected.files
    for name in expected.files:
        close = {"rtol": 1e-12, "atol": 1e-12, "err_msg": name}
        np.testing.assert_allclose(found[name], expected[name], **close)
