"""`unified-blocks inspect`, `convert` and `diff`: files of numbers, without any framework."""

import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import unified_blocks as ub
from testbed.params_files import array, numbers, params
from unified_blocks.cli import files as file_commands
from unified_blocks.cli.terminal import app
from unified_blocks.formats import formats

GENERATOR = np.random.default_rng(0)
STATE = {
    name: GENERATOR.normal(size=shape).astype(kind)
    for name, shape, kind in (
        ("first.weight", (5, 4), "float32"),
        ("first.bias", (5,), "float32"),
        ("norm.weight", (5,), "float32"),
        ("norm.bias", (5,), "float32"),
        ("norm.running_mean", (5,), "float32"),
        ("norm.running_var", (5,), "float32"),
        ("body.conv.weight", (6, 5, 3, 2), "float64"),
        ("body.conv.bias", (6,), "float64"),
        ("0.weight", (2, 5), "float32"),
        ("0.bias", (2,), "float32"),
    )
}
SUFFIXES = (".safetensors", ".pt", ".params", ".weights.h5")


def unified_blocks(*arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.mark.parametrize("target", SUFFIXES)
@pytest.mark.parametrize("source", SUFFIXES)
def test_between_all_formats_the_numbers_stay_the_same(tmp_path, source, target):
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    first, second = tmp_path / f"a{source}", tmp_path / f"b{target}"
    ub.write_state(STATE, first)
    done = unified_blocks("convert", first, second)
    assert done.exit_code == 0, done.output
    assert "10 arrays, 243 numbers, read back and compared: all equal" in " ".join(
        done.stdout.split()
    )
    assert ub.diff_state(STATE, ub.read_state(second)).equal
    assert unified_blocks("diff", first, second).exit_code == 0


def test_every_format_that_can_be_written_is_tested():
    assert {s for module in formats() for s in module.SUFFIXES} - {".pth"} == set(SUFFIXES)


def test_what_a_file_of_ours_says_of_its_block_is_kept(backend_name, tmp_path):
    net = ub.initialize(ub.build(ub.MLP(5, 3), (2, 4)), 1)
    ub.save(net, tmp_path / "a.safetensors")
    unified_blocks("convert", tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert ub.diff_state(net, ub.load(tmp_path / "b.safetensors")).equal
    shown = unified_blocks("inspect", tmp_path / "b.safetensors").stdout
    assert "a unified_blocks:MLP, written by unified-blocks" in shown


def test_inspect_shows_names_shapes_dtypes_roles_and_norms(tmp_path):
    ub.write_state({**STATE, "odd": np.array([3.0, 4.0])}, tmp_path / "a.params")
    shown = unified_blocks("inspect", tmp_path / "a.params").stdout
    for text in ("11 arrays", "245 numbers", "(6, 5, 3, 2)", "float64", "constant", "odd"):
        assert text in shown
    rows = json.loads(unified_blocks("inspect", "--json", tmp_path / "a.params").stdout)
    by_name = {row["name"]: row for row in rows["tensors"]}
    assert rows["format"] == "mxnet-params"
    assert by_name["odd"]["norm"] == 5
    assert by_name["norm.weight"]["stored_name"] == "norm.gamma"
    assert by_name["norm.running_var"]["role"] == "constant"


def test_norms_that_are_no_numbers_are_named(tmp_path):
    state = {"a": np.array([np.nan]), "b": np.array([np.inf]), "c": np.array([True, True])}
    ub.write_state(state, tmp_path / "a.safetensors")
    rows = json.loads(unified_blocks("inspect", "--json", tmp_path / "a.safetensors").stdout)
    assert [row["norm"] for row in rows["tensors"]] == ["nan", "inf", pytest.approx(2**0.5)]


def test_diff_tells_what_differs_and_exits_with_1(tmp_path):
    ub.write_state(STATE, tmp_path / "a.pt")
    other = {**STATE, "first.bias": STATE["first.bias"] + 1}
    del other["0.bias"]
    ub.write_state(other, tmp_path / "b.safetensors")
    done = unified_blocks("diff", tmp_path / "a.pt", tmp_path / "b.safetensors")
    assert done.exit_code == 1
    assert "first.bias" in done.stdout
    assert "2 of 10 arrays differ" in done.stdout
    done = unified_blocks("diff", "--json", tmp_path / "a.pt", tmp_path / "b.safetensors")
    rows = {row["name"]: row for row in json.loads(done.stdout)["tensors"]}
    assert rows["first.bias"]["largest"] == pytest.approx(1, rel=1e-6)
    assert rows["0.bias"]["b"] is None


def test_counts_of_batches_are_left_out_where_there_is_no_place(tmp_path):
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    state = {**STATE, "norm.num_batches_tracked": np.array(5)}
    ub.write_state(state, tmp_path / "a.pt")
    done = unified_blocks("convert", tmp_path / "a.pt", tmp_path / "a.weights.h5")
    assert done.exit_code == 0, done.stderr
    assert "left out: 1 counts of batches" in done.stdout
    done = unified_blocks("convert", tmp_path / "a.pt", tmp_path / "a.params")
    assert "left out" not in done.stdout
    assert ub.diff_state(ub.read_state(tmp_path / "a.params"), state).equal


def test_a_kind_that_a_file_does_not_tell_is_given(tmp_path):
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    ub.write_state({"table.weight": STATE["first.weight"]}, tmp_path / "a.pt")
    done = unified_blocks("convert", tmp_path / "a.pt", tmp_path / "a.weights.h5")
    assert done.exit_code == 2
    assert "--kind table=Dense" in done.stderr
    assert not (tmp_path / "a.weights.h5").exists()
    given = ("--kind", "table=Embedding")
    done = unified_blocks("convert", tmp_path / "a.pt", tmp_path / "a.weights.h5", *given)
    assert done.exit_code == 0, done.stderr
    done = unified_blocks("convert", tmp_path / "a.pt", tmp_path / "b.pt", "--kind", "table")
    assert (done.exit_code, "must be PATH=KIND; got table" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("inspect", "none.pt"), "No such file"),
        (("inspect", "text.pt"), "must be a file of one of the formats"),
        (("convert", "a.pt", "a.txt"), "must end in one of .safetensors, .pt"),
        (("convert", "a.pt", "missing/a.params"), "No such file"),
        (("diff", "a.pt", "text.pt"), "must be a file of one of the formats"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exits_with_2(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    ub.write_state(STATE, "a.pt")
    (tmp_path / "text.pt").write_text("hello")
    done = unified_blocks(*arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith("unified-blocks: ")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_kind_of_no_layer_is_an_error(tmp_path):
    ub.write_state(STATE, tmp_path / "a.pt")
    for target in ("b.pt", "b.weights.h5"):
        done = unified_blocks(
            "convert", tmp_path / "a.pt", tmp_path / target, "--kind", "nope=Dense"
        )
        assert (done.exit_code, "got one for nope" in done.stderr) == (2, True)
        assert not (tmp_path / target).exists()


def test_diff_leaves_out_the_counts_that_convert_does(tmp_path):
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    ub.write_state({**STATE, "norm.num_batches_tracked": np.array(5)}, tmp_path / "a.pt")
    unified_blocks("convert", tmp_path / "a.pt", tmp_path / "a.weights.h5")
    done = unified_blocks("diff", tmp_path / "a.weights.h5", tmp_path / "a.pt")
    assert done.exit_code == 0, done.stdout
    assert "left out: 1 counts of batches" in done.stdout
    ub.write_state({**STATE, "norm.num_batches_tracked": np.array(6)}, tmp_path / "b.pt")
    assert unified_blocks("diff", tmp_path / "a.pt", tmp_path / "b.pt").exit_code == 1


@pytest.mark.parametrize("configuration", ["text", [1], None, 3, {"block": ["\x1b"]}])
def test_metadata_of_another_form_do_not_stop_inspect(tmp_path, configuration):
    for name in ("a.safetensors", "a.pt"):
        metadata = {"configuration": configuration, "x": [float("inf"), {"y": float("nan")}]}
        ub.write_state(STATE, tmp_path / name, metadata=metadata)
        shown = unified_blocks("inspect", tmp_path / name)
        assert (shown.exit_code, "\x1b" in shown.stdout) == (0, False)
        printed = unified_blocks("inspect", "--json", tmp_path / name).stdout
        rows = json.loads(printed, parse_constant=pytest.fail)
        assert rows["metadata"] == {
            "configuration": configuration,
            "x": ["inf", {"y": "nan"}],
        }


def test_metadata_nested_too_deep_for_json(tmp_path):
    deep = []
    for _ in range(900):
        deep = [deep]
    ub.write_state(STATE, tmp_path / "a.pt", metadata={"deep": deep})
    assert unified_blocks("inspect", tmp_path / "a.pt").exit_code == 0
    done = unified_blocks("inspect", "--json", tmp_path / "a.pt")
    assert (done.exit_code, "leave out --json" in done.stderr) in ((2, True), (0, False))


def test_names_cannot_control_a_terminal(tmp_path):
    evil = "a\x1b]0;title\x07\u202e\x9b2J"
    ub.write_state({evil: np.zeros(2)}, tmp_path / "a.safetensors")
    ub.write_state({evil: np.ones(2)}, tmp_path / "b.safetensors")
    both = (tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    for arguments in (("inspect", both[0]), ("diff", *both), ("inspect", tmp_path / evil)):
        done = unified_blocks(*arguments)
        shown = done.stdout + done.stderr
        assert "\\x1b]0;title\\x07\\u202e\\x9b2J" in shown
        assert all(c.isprintable() or c == "\n" for c in shown)


def test_a_bar_is_drawn_for_large_files_in_a_terminal(tmp_path, monkeypatch):
    ub.write_state(STATE, tmp_path / "a.safetensors")
    state = ub.read_state(tmp_path / "a.safetensors")
    with file_commands.shown_progress(state) as shown:
        assert shown is state  # small
    monkeypatch.setattr(file_commands, "LARGE", 1)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    advanced = []
    monkeypatch.setattr(
        file_commands.Progress, "advance", lambda bar, task, size: advanced.append(size)
    )
    with file_commands.shown_progress(state) as shown:
        assert ub.diff_state(shown, STATE).equal
    assert sum(advanced) == sum(array.nbytes for array in STATE.values())


def test_no_framework_is_imported(tmp_path):
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    ub.write_state(STATE, tmp_path / "a.safetensors")
    script = (
        "import sys\n"
        "from unified_blocks.cli import main\n"
        "for line in sys.argv[1:]:\n"
        "    sys.argv = ['unified-blocks', *line.split()]\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as end:\n"
        "        assert not end.code, line\n"
        "print([name for name in ('torch', 'tensorflow', 'keras', 'mxnet') if name in sys.modules])"
    )
    names = [f"{tmp_path}/a{suffix}" for suffix in SUFFIXES]
    lines = [f"convert {names[0]} {name}" for name in names[1:]]
    lines += [f"inspect {name}" for name in names] + [f"diff {names[1]} {name}" for name in names]
    done = subprocess.run(
        [sys.executable, "-c", script, *lines], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_version():
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"unified-blocks {ub.__version__}\n")


# Other names, and parts


def test_what_is_renamed_is_written_under_its_new_name(tmp_path):
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    source = tmp_path / "a.pt"
    ub.write_state(STATE, source)
    names = ("--rename", "first=layers.dense", "--rename", "body.conv=layers.conv2d")
    for suffix in SUFFIXES:
        target = tmp_path / f"b{suffix}"
        done = unified_blocks("convert", source, target, *names)
        assert done.exit_code == 0, done.output
        found = ub.read_state(target)
        assert {"layers.dense.weight", "layers.conv2d.bias", "norm.weight"} < set(found)
        assert unified_blocks("diff", source, target).exit_code == 1
        done = unified_blocks("diff", source, target, *names)
        assert done.exit_code == 0, done.output


def test_the_longest_path_is_renamed(tmp_path):
    ub.write_state({"a.weight": np.zeros(2), "a.b.weight": np.ones(2)}, tmp_path / "a.pt")
    names = ("--rename", "a=x", "--rename", "a.b=y")
    unified_blocks("convert", tmp_path / "a.pt", tmp_path / "b.pt", *names)
    assert list(ub.read_state(tmp_path / "b.pt")) == ["x.weight", "y.weight"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("first", "--rename must be OLD=NEW; got first"),
        ("nope=a", "got nope, where it has first.weight"),
        ("first=norm", "got norm.weight twice"),
    ],
)
def test_names_that_cannot_be_changed(tmp_path, name, words):
    ub.write_state(STATE, tmp_path / "a.pt")
    target = tmp_path / "b.pt"
    done = unified_blocks("convert", tmp_path / "a.pt", target, "--rename", name)
    assert (done.exit_code, words in " ".join(done.stderr.split())) == (2, True), done.stderr
    assert not target.exists()


def test_a_part_of_two_files_is_compared(tmp_path):
    ub.write_state(STATE, tmp_path / "a.pt")
    ub.write_state({**STATE, "head.weight": np.zeros((2, 2))}, tmp_path / "b.pt")
    both = (tmp_path / "a.pt", tmp_path / "b.pt")
    assert unified_blocks("diff", *both).exit_code == 1
    done = unified_blocks("diff", "--partial", *both)
    assert done.exit_code == 0, done.output
    assert "left out: head.weight, which one lacks" in done.stdout
    ub.write_state({**STATE, "first.bias": np.zeros(5, "float32")}, tmp_path / "b.pt")
    assert unified_blocks("diff", "--partial", *both).exit_code == 1
    ub.write_state({"x": np.zeros(2)}, tmp_path / "b.pt")
    done = unified_blocks("diff", "--partial", *both)
    assert (done.exit_code, "give --rename old=new" in done.stderr) == (2, True)


def test_a_part_is_written_where_a_format_cannot_hold_the_rest(tmp_path):
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    source, target = tmp_path / "a.pt", tmp_path / "b.weights.h5"
    ub.write_state({**STATE, "odd.table": np.zeros((2, 3)), "t.weight": np.zeros((2, 3))}, source)
    assert unified_blocks("convert", source, target).exit_code == 2
    done = unified_blocks("convert", "--partial", source, target, "--kind", "t=Embedding")
    assert done.exit_code == 0, done.output
    assert "left out: a layer in a file of Keras must be" in done.stdout
    assert ub.diff_state(ub.read_state(target), {**STATE, "t.weight": np.zeros((2, 3))}).equal


def test_layers_of_unknown_kinds_are_left_out(tmp_path):
    keras_files = pytest.importorskip("testbed.keras_files")
    some = keras_files.some
    layers = {
        ("", "model"): [],
        ("cell", "own_cell"): [some(3, 8), some(2, 8), some(8)],
        ("hidden", "dense"): [some(3, 2), some(2)],
    }
    source = keras_files.handmade(tmp_path / "a.weights.h5", layers)
    for command in (("inspect", source), ("convert", source, tmp_path / "b.pt")):
        done = unified_blocks(*command)
        assert (done.exit_code, "strict=False, --partial" in done.stderr) == (2, True)
        done = unified_blocks(*command, "--partial")
        assert done.exit_code == 0, done.output
        assert "left out: cell with float32 (3, 8)" in done.stdout
    assert list(ub.read_state(tmp_path / "b.pt")) == ["hidden.weight", "hidden.bias"]
    with pytest.warns(UserWarning, match=r"is read without cell with float32"):
        assert len(ub.read_state(source, strict=False)) == 2


def test_inspect_shows_what_norms_compute_with(tmp_path):
    nodes = [
        {"op": "null", "name": "bn_gamma", "inputs": []},
        {"op": "BatchNorm", "name": "bn", "inputs": [[0, 0], [0, 0]], "attrs": {"eps": "0.25"}},
    ]
    (tmp_path / "net-symbol.json").write_text(json.dumps({"nodes": nodes}))
    path = tmp_path / "net-0000.params"
    path.write_bytes(params(array(numbers(2)), names=["arg:bn_gamma"]))
    shown = unified_blocks("inspect", path).stdout
    for word in ("epsilon", "0.25", "momentum", "0.9", "fix_gamma", "True"):
        assert word in shown
    printed = json.loads(unified_blocks("inspect", "--json", path).stdout)
    assert printed["settings"] == {"bn": {"epsilon": 0.25, "momentum": 0.9, "fix_gamma": True}}
