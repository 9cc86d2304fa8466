"""`unified-blocks port`: three files, what they are, and how far they are apart."""

import sys

import pytest
from typer.testing import CliRunner

import unified_blocks as ub
import unified_blocks.cli.port as command
from testbed.exported import save, small_network
from testbed.ports import target
from unified_blocks.cli.terminal import app
from unified_blocks.porting import proving, targets

JUDGED = "mxnet" in ub.available_backends()


def run(*arguments):
    done = CliRunner().invoke(app, ["port", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    done.said = " ".join((done.stdout + done.stderr).split())
    return done


@pytest.fixture
def arguments(tmp_path, backend_name):
    """A network of two files, and where to write."""
    graph, numbers = save(tmp_path)
    folder = tmp_path / "net"
    return [graph, numbers, "--to", target(backend_name), "-o", folder, "--input", "2,3,8,8"]


def test_it_writes_and_says_what_and_how_far_apart(arguments, tmp_path):
    pytest.importorskip("jinja2")
    pytest.importorskip("plotly")
    done = run(*arguments)
    assert done.exit_code == 0, done.said
    files = {path.name: path for path in (tmp_path / "net").iterdir()}
    assert {*files} == {"net.py", "net.safetensors", "report.html"}
    lines = len(files["net.py"].read_text().splitlines())
    assert f"{files['net.py']}: {lines} lines" in done.said
    assert f"{files['net.safetensors']}:" in done.said
    assert "not trained, as in the original: bn0_gamma" in done.said
    assert ("equal to MXNet 1.9.1 and NumPy in" in done.said) == JUDGED
    assert "NumPy in" in done.said
    page = files["report.html"].read_text()
    assert "The same" in page
    assert "conv0_weight" in page


def test_the_proof_can_be_left_out(arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(proving, "prove", None)
    done = run(*arguments, "--no-proof")
    assert done.exit_code == 0, done.said
    assert "equal" not in done.said
    assert (tmp_path / "net" / "net.py").exists()


def test_a_layer_that_is_wrong_ends_it_with_1(arguments, tmp_path, monkeypatch):
    def wrong(*given, **options):
        port = ub.port(*given, **options)
        name = port.names["conv0_weight"]
        port.state[name] = port.state[name] * 2
        return port

    monkeypatch.setattr(command, "ported", wrong)
    done = run(*arguments)
    assert done.exit_code == 1
    assert "first in conv0 (Convolution)" in done.said
    assert (tmp_path / "net" / "net.py").exists()


def test_without_the_report_extra_the_rest_is_written(arguments, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "unified_blocks.porting.page", None)
    done = run(*arguments)
    assert done.exit_code == 0, done.said
    assert "report.html is left out:" in done.said
    assert not (tmp_path / "net" / "report.html").exists()


def test_without_any_framework_it_writes_and_says_what_was_not_run(arguments, monkeypatch):
    def missing(target):
        raise ub.BackendImportError("backend 'x' needs its framework, which is not installed")

    monkeypatch.setattr(targets.Target, "load_backend", missing)
    monkeypatch.setattr(proving, "original_is_here", lambda: False)
    done = run(*arguments)
    assert done.exit_code == 0, done.said
    assert "the source was not run: backend 'x' needs its framework" in done.said
    assert "equal" not in done.said


@pytest.mark.skipif(not JUDGED, reason="MXNet, which is recorded, is not installed")
def test_a_record_is_written_and_judges(arguments, tmp_path, monkeypatch):
    record = tmp_path / "judge.safetensors"
    assert f"{record}: what MXNet computes" in run(*arguments, "--record", record).said
    monkeypatch.setattr(proving, "original_is_here", lambda: False)
    monkeypatch.setattr(proving, "available_backends", list)
    done = run(*arguments, "--judge", record)
    assert done.exit_code == 0
    assert "equal to a record of MXNet 1.9.1 and NumPy in" in done.said


@pytest.mark.skipif(not JUDGED, reason="MXNet, which judges gradients, is not installed")
def test_gradients_are_compared_on_request(arguments):
    places = [int(run(*arguments, *more).said.partition(" places")[0].split()[-1])
              for more in ([], ["--gradients"])]  # fmt: skip
    assert places[1] == places[0] + 4


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        (["1,3,8,8"], ((1, 3, 8, 8),)),
        (["1, 3, 8, 8"], ((1, 3, 8, 8),)),
        (["7,"], ((7,),)),
        (["2,5", "2:int32"], ((2, 5), ((2,), "int32"))),
        (["data0=1,5:int32", "data1=1"], {"data0": ((1, 5), "int32"), "data1": (1,)}),
    ],
)
def test_inputs_are_shapes(given, expected):
    assert command.example_of(given) == expected


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--input", "1x3"], "--input must be a shape, NAME=SHAPE or NAME=SHAPE:DTYPE; got 1x3"),
        (["--input", "data=1,3,8,8"], "--input must be given with a name for each, or none"),
        (["--outputs", "fc9"], "outputs: each must be the name of a node; got 'fc9'"),
        (["--to", "gluon"], "to must be one of torch, tensorflow, unified_blocks"),
        (["--layout", "NCHW", "--to", "keras"], "layout must be one of channels_last"),
        (["--judge", "nowhere"], "No such file"),
    ],
)
def test_what_is_wrong_ends_it_with_2_and_a_line(arguments, more, said):
    done = run(*arguments, *more)
    assert done.exit_code == 2
    assert said in done.said


def test_what_is_missing_ends_it_with_2_and_what_to_give(tmp_path, backend_name):
    graph, numbers = save(tmp_path)
    to = ["--to", target(backend_name), "-o", tmp_path / "net"]
    done = run(graph, *to)
    assert done.exit_code == 2
    assert "on the command line, --input data=1,3,224,224" in done.said
    numbers.unlink()
    assert "got none: give the file of its numbers" in run(graph, *to, "--input", "1,3,8,8").said
    assert "No such file" in run(tmp_path / "nowhere-symbol.json", *to).said
    save(tmp_path, small_network(shape=(1, 3, 8, 8)))
    assert run(graph, *to, "--no-proof").exit_code == 0
