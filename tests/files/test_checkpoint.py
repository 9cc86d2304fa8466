"""A block in one file: what goes in, what comes out, and what is refused."""

import hashlib
import json
import os
import subprocess
import sys
from operator import itemgetter

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import layer, make, normal, run
from testbed.portable import Residual
from testbed.where import TESTS
from unified_blocks.block import names as block_names
from unified_blocks.errors import UnsupportedError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


def edited(path, **changes):
    """The file with other metadata, digest and all, and the same numbers."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata = json.loads(header["__metadata__"]["unified_blocks"])
    text = json.dumps({**metadata, **changes})
    header["__metadata__"] = {
        "unified_blocks": text,
        "unified_blocks.sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    packed = json.dumps(header).encode()
    path.write_bytes(len(packed).to_bytes(8, "little") + packed + data[8 + length :])


def mlp():
    return ub.initialize(ub.build(ub.MLP(5, 3), (2, 4)), 1)


def test_it_comes_back_the_same(backend_name, case, dtype, path):
    net = make(case, dtype)
    assert ub.save(net, path) is None
    found = ub.load(path)
    assert type(found) is type(net)
    assert ub.diff_state(net, found).equal
    x = case.batch(dtype)[0]
    np.testing.assert_array_equal(run(found, x), run(net, x))


def test_the_default_backend_gets_it(backend_name, path):
    ub.save(mlp(), str(path))
    assert ub.backend_of(ub.load(str(path))).name == backend_name


def test_the_file_says_what_each_array_is(backend_name, path):
    ub.save(ub.build(ub.FixedHiddenMLP(4), (2, 4)), path)
    tensors = ub.read_state(path).tensors
    assert {name: (s.shape, s.dtype, s.role) for name, s in tensors.items()} == {
        "rand_weight": ((4, 4), "float32", "constant"),
        "dense.weight": ((4, 4), "float32", "parameter"),
        "dense.bias": ((4,), "float32", "parameter"),
    }
    assert tensors["dense.weight"].kind == "Dense"


def test_another_safetensors_reader_reads_it(backend_name, path):
    from safetensors.numpy import load_file

    net = mlp()
    ub.save(net, path)
    assert ub.diff_state(load_file(path), net).equal


@pytest.mark.parametrize(
    "argument",
    [3, 2.5, float("inf"), None, True, "text", [1, (2, "x")], {"a": [1], 2: None}],
    ids=repr,
)
def test_arguments_come_back_the_same(backend_name, argument, path):
    net = ub.build(Holding(4, argument, other=argument), (2, 4))
    ub.save(net, path)
    found = ub.load(path)
    assert (found.held, found.other) == (argument, argument)
    assert isinstance(found.held, type(argument))


class Holding(ub.Block):
    """Holds plain values."""

    def __init__(self, units, held, *, other=None):
        super().__init__()
        self.dense = ub.Dense(units)
        self.held, self.other = held, other

    def forward(self, X):
        return self.dense(X)


def test_what_a_file_cannot_hold_is_an_error_and_the_old_file_stays(backend_name, path):
    ub.save(mlp(), path)
    before = path.read_bytes()
    for net, words in (
        (ub.MySequential(ub.Dense(3), ub.Lambda(itemgetter(...))), r"Lambda\(0\) of type operator"),
        (Holding(4, np.ones(2)), r"Holding\(1\) of type numpy\.ndarray"),
        (ub.MySequential(layer(backend_name, 3)), r"MySequential\(0\) of type"),
    ):
        ub.build(net, (2, 4))
        with pytest.raises(UnsupportedError, match=words):
            ub.save(net, path)
    with pytest.raises(UnsupportedError, match="must be a block of this library"):
        ub.save(layer(backend_name, 3), path)
    with pytest.raises(ub.NotBuiltError):
        ub.save(ub.MLP(), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_class_inside_a_function_is_an_error(backend_name, path):
    class Local(Residual):
        """Nobody finds it by its name."""

    with pytest.raises(UnsupportedError, match="was defined inside a function"):
        ub.save(ub.build(Local(4), (2, 4)), path)


def test_an_unknown_class_is_an_error_that_says_what_to_import(backend_name, path):
    net = ub.build(Residual(4), (2, 4))
    ub.save(net, path)
    script = f"import unified_blocks as ub\nub.load({str(path)!r}, {backend_name!r})"
    command = [sys.executable, "-W", "ignore", "-c"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    done = subprocess.run(
        [*command, script], env=environment, capture_output=True, text=True, check=False
    )
    assert "UnknownBlockError" in done.stderr
    assert "'testbed.portable:Residual': import testbed.portable first" in done.stderr
    done = subprocess.run(
        [*command, "import testbed.portable\n" + script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_nothing_is_imported_because_a_file_says_so(backend_name, path):
    ub.save(mlp(), path)
    edited(
        path,
        configuration={
            "block": "this:Zen",
            "number": 0,
            "arguments": [],
            "keywords": {},
            "dtype": "float32",
        },
    )
    sys.modules.pop("this", None)
    with pytest.raises(ub.UnknownBlockError, match="import this first"):
        ub.load(path)
    assert "this" not in sys.modules


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, r"must be of format version 1 or before; got 2"),
        ({"format": "new"}, "got 'new'"),
        ({"configuration": {"block": "unified_blocks:MLP"}}, "must be one that ub.save wrote"),
        ({"configuration": [1]}, "must be one that ub.save wrote"),
        ({"configuration": {"same": 0}}, "must be one that ub.save wrote"),
    ],
)
def test_other_metadata_are_an_error(backend_name, path, changes, words):
    ub.save(mlp(), path)
    edited(path, **changes)
    with pytest.raises(ub.FileFormatError, match=words):
        ub.load(path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([5, 3, 9], "too many positional arguments"),
        (["five", 3], "hidden_units must be a whole number"),
        ([10**12, 3], "hidden_units must be a size of an array in the file, 5 at most"),
    ],
)
def test_arguments_that_the_class_refuses_are_an_error(backend_name, path, arguments, words):
    ub.save(mlp(), path)
    configuration = ub.read_state(path).own["configuration"]
    edited(path, configuration={**configuration, "arguments": arguments})
    with pytest.raises(ub.FileFormatError, match=words):
        ub.load(path)


class Clock(ub.Block):
    """An argument that sounds like a width, and is none."""

    def __init__(self, time_units=3600, scale=None):
        super().__init__()
        self.dense = ub.Dense(3)
        self.period = scale["period"] if scale else time_units

    def forward(self, X):
        return self.dense(X) * self.period


def test_only_widths_of_layers_are_bounded_by_the_arrays(backend_name, path):
    net = ub.build(Clock(), (2, 4))
    ub.save(net, path)
    assert ub.load(path).period == 3600


def test_whatever_a_constructor_raises_is_an_error_of_the_file(backend_name, path):
    ub.save(ub.build(Clock(5), (2, 4)), path)
    configuration = ub.read_state(path).own["configuration"]
    edited(path, configuration={**configuration, "keywords": {"scale": {"dict": [["a", 1]]}}})
    with pytest.raises(ub.FileFormatError, match="Clock, KeyError: 'period'"):
        ub.load(path)


def test_arguments_of_another_shape_are_an_error(backend_name, path):
    ub.save(mlp(), path)
    configuration = ub.read_state(path).own["configuration"]
    edited(path, configuration={**configuration, "arguments": [5, 4]})
    with pytest.raises(ub.StateMismatchError, match=r"out.weight of shape \(3, 5\), not \(4, 5\)"):
        ub.load(path)


def test_nesting_without_end_is_an_error(backend_name, path):
    ub.save(mlp(), path)
    deep = []
    for _ in range(500):
        deep = [deep]
    configuration = ub.read_state(path).own["configuration"]
    edited(path, configuration={**configuration, "arguments": [deep]})
    with pytest.raises(ub.FileFormatError, match="nesting deeper than 100"):
        ub.load(path)


def test_one_changed_number_is_an_error_and_nothing_is_loaded(backend_name, path):
    net = mlp()
    ub.save(net, path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ub.FileFormatError, match=r"must have the SHA-256 .* got another for"):
        ub.load(path)
    target = ub.build(ub.MLP(5, 3), (2, 4))
    before = ub.state(target)
    with pytest.raises(ub.FileFormatError):
        ub.load_state(target, ub.read_state(path))
    assert ub.diff_state(before, target).equal


def test_the_name_of_another_format_is_an_error(backend_name, tmp_path):
    with pytest.raises(ub.FileFormatError, match=r"got net\.pt: call it net\.safetensors"):
        ub.save(mlp(), tmp_path / "net.pt")
    ub.save(mlp(), tmp_path / "net")
    assert ub.diff_state(ub.load(tmp_path / "net"), mlp()).equal


def test_a_path_in_place_of_an_opened_file_is_an_error(backend_name, path):
    ub.save(mlp(), path)
    for move in (ub.transfer, lambda source, net: ub.load_state(net, source)):
        with pytest.raises(TypeError, match=r"open it with ub\.read_state"):
            move(str(path), mlp())


def test_a_loaded_module_knows_its_widths(backend_name, path):
    if backend_name != "torch":
        pytest.skip("for PyTorch's lazy layers")
    ub.save(mlp(), path)
    assert [ub.load(path).hidden.in_features, ub.load(path).out.in_features] == [4, 5]


def test_a_file_of_numbers_alone_is_an_error_that_says_how_to_read_it(backend_name, path):
    net = mlp()
    ub.write_state(net, path)
    with pytest.raises(ub.FileFormatError, match="without a configuration"):
        ub.load(path)
    other = path.with_name("net.params")
    other.write_bytes(b"\x12\x01" + bytes(30))
    with pytest.raises(ub.FileFormatError, match="got one of another format"):
        ub.load(other)
    target = ub.load_state(ub.MLP(5, 3), ub.read_state(path))
    assert ub.diff_state(net, target).equal


def test_a_copy_of_one_array_is_made_at_a_time(path):
    """Counted: of the arrays read for a file, at most one other than the last is alive."""
    from unified_blocks.formats import safetensors
    from unified_blocks.formats.stored import Stored

    alive, most = set(), 0

    class Watched(np.ndarray):
        """An array that can be watched."""

        def __del__(self):
            alive.discard(id(self))

    def stored(name):
        def read():
            nonlocal most
            array = normal(100, 100).view(Watched)
            alive.add(id(array))
            most = max(most, len(alive))
            return array

        return Stored(name, (100, 100), "float32", read)

    safetensors.write(path, [stored(f"{i}") for i in range(6)], {})
    assert most <= 2
    assert len(ub.read_state(path)) == 6


# the names of classes


def test_a_second_class_of_a_name_is_an_error(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    define = "class Twin(ub.Block):\n    def forward(self, X):\n        return X\n"
    (tmp_path / "twins_apart.py").write_text("import unified_blocks as ub\n" + define * 2)
    with pytest.raises(ub.DuplicateBlockError, match="twins_apart:Twin"):
        import twins_apart  # noqa: F401


def test_a_second_class_of_a_name_in_a_program_is_an_error(tmp_path):
    define = "class Twin(ub.Block):\n    def forward(self, X):\n        return X\n"
    (tmp_path / "program.py").write_text("import unified_blocks as ub\n" + define * 2)
    for how in (["program.py"], ["-m", "program"]):
        done = subprocess.run(
            [sys.executable, *how], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert "got a second __main__:Twin" in done.stderr


def test_a_second_class_made_by_hand_is_an_error(tmp_path):
    define = "type('ByHand', (ub.Block,), {'forward': lambda self, X: X})\n"
    (tmp_path / "program.py").write_text("import unified_blocks as ub\n" + define * 2)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "got a second __main__:ByHand" in done.stderr


def test_a_copy_of_a_class_leaves_the_name_to_the_original(backend, tmp_path):
    """Unpickling makes copies: classes of one module by the code of another."""
    original = block_names.find("testbed.portable:Residual")
    names = {"__module__": original.__module__, "forward": lambda self, X: X}
    copied = type("Residual", (ub.Block,), names)
    assert block_names.find("testbed.portable:Residual") is original
    with pytest.raises(UnsupportedError, match="was defined anew"):
        ub.save(copied(), tmp_path / "net.safetensors")


def test_a_class_that_is_defined_anew_takes_the_place_of_the_old_one(tmp_path, monkeypatch):
    import importlib

    monkeypatch.syspath_prepend(tmp_path)
    define = "class Once(ub.Block):\n    def forward(self, X):\n        return X\n"
    (tmp_path / "defined_anew.py").write_text("import unified_blocks as ub\n" + define)
    import defined_anew

    old = defined_anew.Once
    importlib.reload(defined_anew)
    assert block_names.find("defined_anew:Once") is defined_anew.Once is not old
    with pytest.raises(UnsupportedError, match="was defined anew"):
        block_names.lasting_name_of(old)


def test_the_blocks_of_this_library_go_by_its_name():
    assert block_names.lasting_name_of(ub.MLP) == "unified_blocks:MLP"
    assert block_names.find("unified_blocks:Dense") is ub.Dense
    with pytest.raises(ub.UnknownBlockError, match=r"similar one is unified_blocks:MLP"):
        block_names.find("unified_blocks:MPL")


def test_in_an_interactive_session_a_class_can_be_defined_again():
    define = "class A(ub.Block):\n    def forward(self, X): return X\n\n"
    program = "import unified_blocks as ub\n" + define * 2 + "print('fine')\n"
    done = subprocess.run(
        [sys.executable, "-i"], input=program, capture_output=True, text=True, check=False
    )
    assert "fine" in done.stdout, done.stderr
    done = subprocess.run(
        [sys.executable, "-"], input=program, capture_output=True, text=True, check=False
    )
    assert "fine" in done.stdout, done.stderr
