"""The command line: `record` and `compare`."""

import json
import subprocess
import sys

import pytest

import unified_blocks as ub
from testbed.hand_records import record_of
from testbed.where import TESTBED
from unified_blocks.equivalence.matrix.records import read_record, source_of, write_record

pytest.importorskip("typer", reason="the command line's extra is not installed")
pytest.importorskip("rich", reason="the command line's extra is not installed")

from typer.testing import CliRunner

from unified_blocks.cli import lab as lab_commands

QUICK = ("--mode", "forward", "--dtype", "float64")
SMALL = ("--input", "2,4")


def unified_blocks(*arguments):
    done = CliRunner().invoke(
        lab_commands.app, [str(argument) for argument in arguments], env={"COLUMNS": "200"}
    )
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def files(tmp_path):
    """Three records that agree, and what changes the second before it is compared."""

    def written(change=lambda record: None):
        paths = [tmp_path / f"{name}.rec.safetensors" for name in ("one", "two", "three")]
        for path in paths:
            record = record_of(path.name.partition(".")[0])
            if path == paths[1]:
                change(record)
            write_record(record, path)
        return paths

    return written


@pytest.fixture
def models(monkeypatch):
    monkeypatch.syspath_prepend(TESTBED)
    monkeypatch.chdir(TESTBED)


# records


def test_record_writes_a_file_and_says_what_is_in_it(backend_name, tmp_path):
    path = tmp_path / "a.rec.safetensors"
    done = unified_blocks("record", "--backend", backend_name, "-o", path, *QUICK, "--case", "MLP")
    assert done.exit_code == 0, done.output
    version = ub.get_backend(backend_name).version
    assert f"{path}: {backend_name} {version} on cpu: 1 done" in done.output
    assert list(read_record(path).entries) == [("MLP", "float64", "forward")]
    assert read_record(path).source == source_of(backend_name)


def test_record_exits_with_1_when_something_raised(backend_name, tmp_path, models):
    path = tmp_path / "a.rec.safetensors"
    options = ("--model", "lab_models:broken", *SMALL, *QUICK)
    done = unified_blocks("record", "--backend", backend_name, "-o", path, *options)
    assert done.exit_code == 1
    assert "lab_models:broken in float64: forward failed: ZeroDivisionError" in done.output
    assert [entry.status for entry in read_record(path).entries.values()] == ["error"]


def test_records_that_agree_are_within_tolerance(files, tmp_path):
    done = unified_blocks("compare", *files(), "--json", tmp_path / "figures.json")
    assert done.exit_code == 0, done.output
    assert "All 72 cells within tolerance." in done.output
    for words in ("Equivalence in float64", "Equivalence in float32", "compiled", "three"):
        assert words in done.output
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [record["backend"] for record in figures["records"]] == ["one", "two", "three"]
    assert len(figures["cells"]) == 72
    assert figures["problems"] == []


def spoil(record):
    record.entries["BB", "float32", "training"].arrays["loss"] += 0.5


def fail(record):
    entry = record.entries["BB", "float32", "training"]
    entry.status, entry.reason = "error", "ValueError:\n  two\n  lines"
    entry.arrays, entry.expected = {}, {}


def test_a_tolerance_of_ones_own_is_in_place_of_the_policy(files):
    def off(record):
        record.entries["A", "float64", "train"].arrays["output"] += 1e-3

    paths = files(off)
    assert unified_blocks("compare", *paths).exit_code == 1
    assert unified_blocks("compare", *paths, "--atol", "2e-3").exit_code == 0
    assert unified_blocks("compare", *paths, "--rtol", "1e-6").exit_code == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (spoil, "BB on two in float32: training is 5.0e-01 from reference, first in loss"),
        (fail, "BB on two in float32: training failed: ValueError: two lines"),
    ],
)
def test_compare_exits_with_1_when_a_cell_is_wrong(files, tmp_path, change, problem):
    done = unified_blocks("compare", *files(change), "--json", tmp_path / "figures.json")
    assert done.exit_code == 1
    assert problem in done.output
    assert "1 of 72 cells are wrong." in done.output
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["problems"] == [problem]


def test_what_is_left_out_is_said_with_the_reason(files):
    def lacking(record):
        entry = record.entries["A", "float64", "compiled"]
        entry.status, entry.reason = "unsupported", "there is no compiler"
        entry.arrays, entry.expected = {}, {}

    done = unified_blocks("compare", *files(lacking))
    assert done.exit_code == 0
    assert "1 left out on two: there is no compiler" in done.output
    assert "All 71 cells within tolerance." in done.output


def test_a_terminal_is_not_told_what_a_file_says(files):
    def hostile(record):
        record.backend = "two\x1b[2J"
        spoil(record)

    done = unified_blocks("compare", *files(hostile))
    assert done.exit_code == 1
    assert "two\\x1b[2J in float32" in done.output.replace("BB on ", "")
    assert "\x1b" not in done.output


def test_comparing_nothing_is_no_success(files, tmp_path):
    record = record_of()
    for entry in record.entries.values():
        entry.expected.clear()
    write_record(record, tmp_path / "a.rec.safetensors")
    done = unified_blocks("compare", tmp_path / "a.rec.safetensors")
    assert done.exit_code == 1
    assert "Nothing was compared." in done.output


def test_comparing_records_imports_no_framework(files):
    code = (
        "import sys\n"
        "from unified_blocks.cli import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    names = {'torch', 'tensorflow', 'keras', 'mxnet'} & sys.modules.keys()\n"
        "    print('frameworks:', sorted(names))\n"
    )
    command = [sys.executable, "-c", code, "compare", *map(str, files())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "frameworks: []" in done.stdout


def test_records_of_other_code_are_refused_when_they_must_be_fresh(files):
    paths = files()
    assert unified_blocks("compare", *paths).exit_code == 0
    done = unified_blocks("compare", "--fresh", *paths)
    assert done.exit_code == 2
    assert "must be recorded by the code that is installed here" in done.output


def test_fresh_records_are_taken(backend_name, tmp_path):
    path = tmp_path / "a.rec.safetensors"
    unified_blocks("record", "--backend", backend_name, "-o", path, *QUICK, "--case", "NestMLP")
    done = unified_blocks("compare", "--fresh", path)
    assert done.exit_code == 0, done.output


# wrong use


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "--dtype", "int8"], "--dtype must be one of float64, float32"),
        (["compare", "--mode", "sideways"], "--mode must be one of forward, train"),
        (["compare", "--case", "LSTM"], "--case must be one of MLP, MySequential"),
        (["compare", "--model", "a:b"], "--model must come with --input"),
        (["compare", "--input", "2,20"], "--input must come with --model"),
        (["compare", "--model", "a:b", "--input", "2,x"], "--input must be sizes"),
        (["compare", "--model", "a:b", "--input", "0,2"], "--input must be sizes"),
        (["compare", "--model", "a:b", "--input", "2", "--case", "MLP"], "--case is of this"),
        (["compare", "--layouts", "NCHW,NHWC"], "--layouts must come with --model"),
        (["compare", "--layouts", "NCHW", "a.rec.safetensors"], "--layouts is for recording"),
        (["compare", "--rtol", "-1", "no.rec.safetensors"], "rtol must be a finite number from 0"),
        (["compare", "--atol", "nan", "no.rec.safetensors"], "atol must be a finite number from 0"),
        (["compare", "--backend", "touch"], "did you mean 'torch'?"),
        (["compare", "--json", "no/such/folder/a.json"], "--json must name a file in a folder"),
        (["compare", "no.rec.safetensors"], "No such file"),
        (["compare", "no.rec.safetensors", "--mode", "train"], "--mode is for recording"),
        (["record", "--backend", "touch", "-o", "a"], "did you mean 'torch'?"),
        (["record", "--backend", "torch", "-o", "no/such/a"], "--output must name a file"),
    ],
)
def test_wrong_use_is_a_usage_error(arguments, message):
    done = unified_blocks(*arguments)
    assert done.exit_code == 2, done.output
    assert message in done.output


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("lab_models", "must be named module:factory"),
        ("no_such_module:make", "ModuleNotFoundError"),
        ("lab_models:nothing", "AttributeError"),
        ("lab_models:HERE", "AttributeError"),
        ("lab_models:two", "which needs backend, more"),
    ],
)
def test_a_model_that_is_none_is_a_usage_error(backend_name, tmp_path, models, model, message):
    options = ("--model", model, *SMALL)
    done = unified_blocks("record", "--backend", backend_name, "-o", tmp_path / "a", *options)
    assert done.exit_code == 2, done.output
    assert message in done.output


def test_a_device_that_is_not_there_is_a_usage_error(backend_name, tmp_path):
    options = ("--backend", backend_name, "--device", "gpu:99")
    done = unified_blocks("record", *options, "-o", tmp_path / "a")
    assert done.exit_code == 2
    assert "a device must be one of cpu" in done.output


def test_damaged_records_are_a_usage_error(files):
    paths = files()
    paths[0].write_bytes(paths[0].read_bytes()[:-3])
    done = unified_blocks("compare", *paths)
    assert done.exit_code == 2
    assert "damaged" in done.output


def test_records_of_other_cases_are_a_usage_error(files):
    done = unified_blocks("compare", *files(lambda record: record.cases.update(A="other")))
    assert done.exit_code == 2
    assert "another A from one 1.0 on cpu than from two 1.0 on cpu" in done.output


# models of the user's own


@pytest.mark.parametrize(
    ("model", "inputs", "status", "message"),
    [
        ("good", SMALL, 0, "All 1 cells within tolerance"),
        ("Wrong", SMALL, 1, "first in output"),
        ("Several", (*SMALL, *SMALL), 1, "Nothing was compared."),
    ],
)
def test_a_block_of_the_users_own(backend_name, tmp_path, models, model, inputs, status, message):
    path = tmp_path / "a.rec.safetensors"
    options = ("--model", f"lab_models:{model}", *inputs, *QUICK)
    assert unified_blocks("record", "--backend", backend_name, "-o", path, *options).exit_code == 0
    done = unified_blocks("compare", path)
    assert done.exit_code == status, done.output
    assert message in done.output


# in processes of their own


def test_compare_runs_each_framework_in_a_process_of_its_own(tmp_path):
    names = ub.available_backends()
    if not names:
        pytest.skip("no framework is installed")
    path = tmp_path / "figures.json"
    done = unified_blocks("compare", *QUICK, "--case", "MLP", "--json", path, "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert f"All {len(names)} cells within tolerance." in done.output
    figures = json.loads(path.read_text())
    assert [record["backend"] for record in figures["records"]] == names
    assert all(cell["rows"] for cell in figures["cells"])


@pytest.mark.parametrize(
    ("model", "status", "message"),
    [
        ("crash", 1, "ended with status 3 before the first case"),
        ("nothing", 2, "AttributeError"),
    ],
)
def test_a_process_that_ends_early_is_reported(models, model, status, message):
    names = ub.available_backends()
    if not names:
        pytest.skip("no framework is installed")
    options = ("--model", f"lab_models:{model}", *SMALL, *QUICK)
    # The last is MXNet, which starts the soonest.
    done = unified_blocks("compare", "--backend", names[-1], "--device", "cpu", *options)
    assert done.exit_code == status, done.output
    assert message in done.output


@pytest.mark.parametrize(("model", "wrong"), [("native", False), ("native_with_a_mistake", True)])
def test_a_native_model_of_the_users_own(models, model, wrong):
    names = [name for name in ("torch", "mxnet") if name in ub.available_backends()]
    if len(names) < 2:
        pytest.skip("PyTorch and MXNet are not both installed")
    options = ("--model", f"lab_models:{model}", *SMALL, *QUICK, "--device", "cpu")
    done = unified_blocks("compare", "--backend", "torch", "--backend", "mxnet", *options)
    assert done.exit_code == (1 if wrong else 0), done.output
    assert ("on mxnet in float64: forward is" in done.output) == wrong


# layouts

IMAGES = ("--input", "2,3,7,6", "--dtype", "float64", "--device", "cpu")
LAYOUT_OF = {"torch": "NCHW", "tensorflow": "NHWC", "mxnet": "NCHW"}


def compared(model, *options):
    """What `compare` says of a model on all frameworks, each in its own layout."""
    names = ub.available_backends()
    if "tensorflow" not in names or len(names) < 2:
        pytest.skip("TensorFlow and another framework are not both installed")
    chosen = [word for name in names for word in ("--backend", name)]
    layouts = ",".join(LAYOUT_OF[name] for name in names)
    options = ("--model", f"lab_models:{model}", "--layouts", layouts, *IMAGES, *options)
    return unified_blocks("compare", *chosen, *options)


def test_models_that_have_their_channels_elsewhere(models):
    done = compared("images")
    assert done.exit_code == 0, done.output
    assert f"All {6 * len(ub.available_backends())} cells within tolerance." in done.output


def test_the_call_that_differs_is_named_in_any_layout(models):
    done = compared("images_with_a_mistake", "--mode", "forward")
    assert done.exit_code == 1, done.output
    assert "first in call/pool" in done.output
    assert "call/first" not in done.output


def test_records_of_models_that_have_their_channels_elsewhere(models, tmp_path):
    names = [name for name in ("tensorflow", "mxnet", "torch") if name in ub.available_backends()]
    if len(names) < 2:
        pytest.skip("only one framework is installed")
    paths = [tmp_path / f"{name}.rec.safetensors" for name in names]
    options = ("--model", "lab_models:images", *QUICK, "--input", "2,3,7,6")
    for name, path in zip(names, paths, strict=True):
        layouts = ("--layouts", f"NCHW,{LAYOUT_OF[name]}") if name == "tensorflow" else ()
        done = unified_blocks("record", "--backend", name, "-o", path, *options, *layouts)
        assert done.exit_code == 0, done.output
    done = unified_blocks("compare", *paths, "--json", tmp_path / "figures.json")
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "figures.json").read_text())
    said = {record["backend"]: record["layouts"] for record in figures["records"]}
    assert said == {name: ["NCHW", "NHWC"] if name == "tensorflow" else None for name in names}


@pytest.mark.parametrize(
    ("layouts", "message"),
    [
        ("NCHW", "--layouts must be that of --input, and that of the model; got NCHW"),
        ("NCHW,NHWC,NCHW", "--layouts must be that of --input, and that of the model"),
        ("NCHW,NWHC", "--layouts must be of images with as many axes as --input"),
        ("NCW,NWC", "got NCW,NWC for (2, 3, 7, 6): give NCHW,NHWC"),
    ],
)
def test_layouts_that_are_none_are_a_usage_error(backend_name, tmp_path, models, layouts, message):
    options = ("--model", "lab_models:images", "--input", "2,3,7,6", "--layouts", layouts)
    done = unified_blocks("record", "--backend", backend_name, "-o", tmp_path / "a", *options)
    assert done.exit_code == 2, done.output
    assert message in done.output


def test_there_is_a_layout_for_each_backend(models):
    names = ub.available_backends()
    if len(names) < 2:
        pytest.skip("only one framework is installed")
    chosen = [word for name in names for word in ("--backend", name)]
    options = ("--model", "lab_models:images", *IMAGES, "--layouts", "NCHW")
    done = unified_blocks("compare", *chosen, *options)
    assert done.exit_code == 2, done.output
    assert f"--layouts must be a layout for each of {', '.join(names)}; got NCHW" in done.output
