"""The command line: `demo` and `doctor`."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import BACKENDS
from unified_blocks import cli
from unified_blocks.backend import registry
from unified_blocks.backend.capabilities import table
from unified_blocks.cli import diagnosis

typer = pytest.importorskip("typer", reason="the command line's extra is not installed")
pytest.importorskip("rich", reason="the command line's extra is not installed")

from typer.testing import CliRunner

from unified_blocks.cli import capabilities, demo, doctor, terminal  # noqa: F401  # they add commands
from unified_blocks.cli.demo_report import Report
from unified_blocks.cli.digits import READ_BY_MLP, load_digits
from unified_blocks.cli.learning import Training
from unified_blocks.equivalence.matrix import cells, observing
from unified_blocks.equivalence.matrix.cases import CASES


def invoke(*arguments):
    return CliRunner().invoke(terminal.app, arguments, env={"COLUMNS": "200"})


@pytest.fixture
def quick(monkeypatch):
    """Fewer epochs and one case: the command's own behaviour, not the figures."""
    pytest.importorskip("sklearn", reason="the demo's extra is not installed")
    monkeypatch.setattr(demo, "LEARNERS", (replace(READ_BY_MLP, epochs=12),))
    honest = observing.make_record

    def make_record(backend, modes):
        return honest(backend, cases=CASES[:1], modes=modes)

    monkeypatch.setattr(demo, "make_record", make_record)


def test_demo_shows_everything_and_writes_it(backend_name, quick, tmp_path):
    file = tmp_path / "figures.json"
    result = invoke("demo", "--backend", backend_name, "--json", str(file))
    assert result.exit_code == 0, result.output
    for words in (
        backend_name,
        "Equivalence in float64",
        "Equivalence in float32",
        "test",
        "All 4 cells on 1 backend within tolerance.",
    ):
        assert words in result.output
    figures = json.loads(file.read_text())
    assert [d["name"] for d in figures["backends"]] == [backend_name]
    assert [len(t["losses"]) for t in figures["training"]] == [12, 12]
    assert all(t["accuracy"] >= 0.97 for t in figures["training"])
    assert all(cell["ok"] for cell in figures["matrix"])
    assert figures["problems"] == []


def test_demo_over_two_backends_compares_their_losses(quick, tmp_path):
    names = ub.available_backends()[:2]
    if len(names) < 2:
        pytest.skip("fewer than two frameworks are installed")
    file = tmp_path / "figures.json"
    options = [option for name in names for option in ("--backend", name)]
    result = invoke("demo", *options, "--json", str(file))
    assert result.exit_code == 0, result.output
    found = json.loads(file.read_text())["largest_loss_difference"]
    differences = {row["dtype"]: row["difference"] for row in found}
    assert 0 < differences["float64"] <= 1e-9
    assert 0 < differences["float32"] <= 1e-4


def test_demo_exits_with_1_when_a_cell_is_out_of_tolerance(backend_name, quick, monkeypatch):
    wrong = cells.Cell(
        "MLP", backend_name, "cpu", "float64", "forward", "differs", 3.0, 0.5, "reference", "output"
    )
    monkeypatch.setattr(demo, "measured", lambda names: [wrong])
    result = invoke("demo", "--backend", backend_name)
    assert result.exit_code == 1
    problem = (
        f"MLP on {backend_name} in float64: forward is 5.0e-01 from reference, first in output"
    )
    assert problem in result.output
    assert "within tolerance" not in result.output


@pytest.mark.parametrize(
    ("losses", "accuracy", "problem"),
    [
        ([1.0, 0.5], 0.96, "test accuracy is 96.0%"),
        ([1.0, 0.5 + 1e-8], 0.99, "the losses of two backends are 2.0e-08 apart"),
        ([1.0, float("nan")], 0.99, "the losses of two backends are inf apart"),
        ([1.0, 0.5], 0.99, None),
    ],
)
def test_a_report_names_its_problems(losses, accuracy, problem):
    trainings = [
        Training("digits", "one", "float64", [1.0, 0.5], 0.99, True),
        Training("digits", "two", "float64", losses, accuracy, accuracy > 0.97),
    ]
    problems = Report([], [], trainings).problems()
    assert len(problems) == (problem is not None)
    assert not problem or problem in problems[0]


def test_demo_with_an_unknown_backend_is_a_usage_error():
    result = invoke("demo", "--backend", "touch")
    assert result.exit_code == 2
    assert "did you mean 'torch'?" in result.output


def test_demo_with_a_missing_backend_is_a_usage_error(monkeypatch):
    monkeypatch.setattr(registry, "_is_installed", lambda name: False)
    result = invoke("demo", "--backend", "mxnet")
    assert result.exit_code == 2
    command = diagnosis.diagnose("mxnet").remedy
    assert command.startswith("pip install ")
    assert f"mxnet: not installed; run: {command}" in " ".join(result.output.split())


def test_demo_without_any_framework_says_what_to_install(monkeypatch):
    monkeypatch.setattr(registry, "_is_installed", lambda name: False)
    result = invoke("demo")
    assert result.exit_code == 2
    assert "no framework works here; run: pip install" in result.output


def test_demo_without_scikit_learn_says_what_to_install(backend_name, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    result = invoke("demo", "--backend", backend_name)
    assert result.exit_code == 2
    assert 'pip install "unified-blocks[demo]"' in result.output


def test_doctor_has_a_line_for_each_backend(monkeypatch):
    result = invoke("doctor")
    for name in BACKENDS:
        assert name in result.output
        if name in ub.available_backends():
            assert ub.get_backend(name).version in result.output
        else:
            words = diagnosis.diagnose(name).remedy.split()
            assert all(word in result.output for word in words)
    assert np.__version__ in result.output
    assert result.exit_code == (0 if ub.available_backends() else 1)


def test_doctor_explains_the_known_conflicts(backend_name):
    words = {"torch": "PyTorch", "tensorflow": "KERAS_BACKEND", "mxnet": "npx.set_np()"}
    assert words[backend_name] in invoke("doctor").output


def test_doctor_tells_a_broken_framework_from_a_missing_one(monkeypatch):
    def broken(name):
        try:
            raise AttributeError("module 'numpy' has no attribute 'bool'")
        except AttributeError as error:
            raise ub.BackendImportError("broken") from error

    monkeypatch.setattr(diagnosis, "available_backends", lambda: ["mxnet"])
    monkeypatch.setattr(diagnosis, "load_backend", broken)
    found = {d.name: d.problem for d in diagnosis.diagnose_all()}
    assert found["torch"] == "not installed"
    assert found["mxnet"] == (
        "installed, but does not work: AttributeError: module 'numpy' has no attribute 'bool'"
    )


def test_capabilities_prints_the_table_of_what_is_installed():
    backends = [ub.get_backend(name) for name in ub.available_backends()]
    assert invoke("capabilities").output == table(backends) + "\n"


def test_doctor_shows_a_default_that_cannot_be_used(monkeypatch):
    monkeypatch.setenv(registry.ENVIRONMENT_VARIABLE, "troch")
    assert "default backend: none" in invoke("doctor").output


def test_without_its_extra_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "unified_blocks.cli.demo", None)
    with pytest.raises(SystemExit, match=r'pip install "unified-blocks\[cli\]"'):
        cli.main()


def test_the_digits_are_split_the_same_way_every_time():
    pytest.importorskip("sklearn", reason="the demo's extra is not installed")
    first, second = load_digits(), load_digits()
    assert first.inputs.shape == (1437, 64)
    assert first.test_inputs.shape == (360, 64)
    assert 0 <= first.inputs.min() < first.inputs.max() == 1
    np.testing.assert_array_equal(first.test_labels, second.test_labels)
    assert set(first.test_labels) == set(range(10))


def test_a_progress_bar_is_drawn_in_a_terminal(backend_name, monkeypatch, capfd):
    from unified_blocks.training.watching import progress

    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    net = ub.MLP(5, 3, in_units=4)
    x, y = np.ones((6, 4), "float32"), np.zeros((6, 3), "float32")
    ub.fit(net, x, y, loss="mse", optimizer=ub.SGD(0.1), epochs=3)
    assert "3/3" in capfd.readouterr().err
    ub.fit(net, x, y, loss="mse", optimizer=ub.SGD(0.1), epochs=3, progress=False)
    assert capfd.readouterr().err == ""


def test_figures_that_json_cannot_write_are_null():
    cell = cells.Cell("MLP", "one", "cpu", "float64", "forward", "differs", np.inf, np.inf)
    training = Training("digits", "one", "float64", [float("nan")], 0.5, False)
    figures = json.dumps(Report([], [cell], [training]).as_json(), allow_nan=False)
    (found,) = json.loads(figures)["matrix"]
    assert (found["share"], found["absolute"], found["ok"]) == (None, None, False)


def test_json_into_a_folder_that_is_not_there_is_said_before_the_work():
    result = invoke("demo", "--json", "no/such/folder/figures.json")
    assert result.exit_code == 2
    assert "--json must name a file in a folder that exists" in result.output


def test_doctor_survives_a_driver_that_does_not_work(backend_name, monkeypatch):
    def broken(self):
        raise OSError("libcuda.so.1: cannot open shared object file")

    monkeypatch.setattr(type(ub.get_backend(backend_name)), "devices", broken)
    found = {d.name: d for d in diagnosis.diagnose_all()}[backend_name]
    assert found.problem.startswith("installed, but does not work: OSError: libcuda")


@pytest.mark.parametrize("command", [False, True])
def test_only_a_command_sets_what_tensorflow_reads_at_its_import(backend_name, command):
    if backend_name != "tensorflow":
        pytest.skip("about TensorFlow only")
    names = ("TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH")
    script = "from unified_blocks.backend import registry\n"
    script += "registry.begin_command()\n" * command
    script += f"import os, unified_blocks_tensorflow; print(*map(os.environ.get, {names}))"
    clean = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env=clean, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == (["2", "true"] if command else ["None", "None"])
