"""safetensors files of others, and files that are damaged; no framework is needed."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import unified_blocks as ub
from testbed import hostile
from unified_blocks.errors import FileFormatError, UnsupportedError
from unified_blocks.formats import safetensors
from unified_blocks.formats.atomic import replacing

ARRAYS = {
    "a.weight": np.arange(6, dtype="float32").reshape(2, 3),
    "a.bias": np.array([1, 2], "float64"),
    "scalar": np.array(3, "int64"),
    "empty": np.zeros((0, 3), "float16"),
    "mask": np.array([True, False, True]),
}
KILLS = 200 if hostile.SOAK else 20


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.safetensors"


def same(state):
    assert list(state) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (state[name].dtype, state[name].shape) == (array.dtype, array.shape)
        assert state[name].tobytes() == array.tobytes()
        assert state[name].flags.aligned


def test_ours(path):
    ub.write_state(ARRAYS, path)
    same(ub.read_state(path))
    assert ub.diff_state(load_file(path), ARRAYS).equal


def test_another_s(path):
    save_file(ARRAYS, path, {"made": "elsewhere"})
    state = ub.read_state(path)
    assert state.metadata == {"made": "elsewhere"}
    assert ub.diff_state(state, ARRAYS).equal


@pytest.mark.parametrize("name", sorted(safetensors.CODES))
def test_every_dtype(path, name):
    array = np.array([0, 1, 1], name)
    ub.write_state({"x": array}, path)
    assert ub.diff_state(ub.read_state(path), {"x": array}).equal


def test_a_dtype_that_it_does_not_have_is_an_error(path):
    with pytest.raises(UnsupportedError, match="got complex128 for x: cast it first"):
        ub.write_state({"x": np.zeros(2, complex)}, path)
    assert not path.exists()


def raw_file(path, header, data=b""):
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_every_bfloat16_is_exact(path):
    bits = np.arange(2**16, dtype="<u2")
    place = {"dtype": "BF16", "shape": [2**16], "data_offsets": [0, 2**17]}
    raw_file(path, {"x": place}, bits.tobytes())
    state = ub.read_state(path)
    assert state["x"].tobytes() == (bits.astype("<u4") << 16).tobytes()
    assert (state.tensors["x"].dtype, state.tensors["x"].stored_dtype) == ("float32", "bfloat16")


def test_an_array_that_is_not_aligned_is_moved(path):
    header = {
        "a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        "b": {"dtype": "F64", "shape": [1], "data_offsets": [1, 9]},
    }
    raw_file(path, header, b"\x01" + np.array([2.5]).tobytes())
    array = ub.read_state(path)["b"]
    assert (array.tolist(), array.flags.aligned) == ([2.5], True)


def test_a_change_of_an_array_does_not_reach_the_file(path):
    save_file(ARRAYS, path)
    ub.read_state(path)["a.weight"][:] = 7
    same(dict(sorted(ub.read_state(path).items(), key=lambda item: list(ARRAYS).index(item[0]))))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}, "got F8_E4M3 for x"),
        ({"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}, "damaged"),
        ({"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 4]}, "damaged"),
        ({"dtype": "F32", "shape": [1], "data_offsets": [0, 2**32]}, "damaged"),
        ({"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}, "damaged"),
        ({"dtype": "F32", "shape": "one", "data_offsets": [0, 4]}, "damaged"),
    ],
)
def test_a_header_that_lies_is_an_error(path, entry, words):
    raw_file(path, {"x": entry}, bytes(4))
    with pytest.raises(FileFormatError, match=words):
        hostile.measured(safetensors, path) or ub.read_state(path)


def test_a_header_of_gigabytes_in_a_small_file_is_an_error(path):
    path.write_bytes((2**32 - 1).to_bytes(8, "little") + b"{" + bytes(90))
    assert hostile.measured(safetensors, path) is None


def test_another_file_is_an_error_that_says_what_is_read(path):
    path.write_bytes(b"hello, world")
    with pytest.raises(FileFormatError, match="must be a file of one of the formats safetensors"):
        ub.read_state(path)
    with pytest.raises(FileFormatError, match=r"must end in one of \.safetensors"):
        ub.write_state(ARRAYS, path.with_suffix(".txt"))
    with pytest.raises(FileNotFoundError):
        ub.read_state(path.with_name("none.safetensors"))


def test_cut_short_anywhere_it_is_an_error(path):
    ub.write_state(ARRAYS, path)
    assert hostile.every_truncation(safetensors, path, path.read_bytes(), step=3) == 0


def test_changed_anywhere_no_other_numbers_come_out(path):
    """Every byte counts: of the header, the digests and the numbers."""
    ub.write_state({"x": ARRAYS["a.weight"]}, path)
    whole, right = path.read_bytes(), hostile.read_all(safetensors, path)
    refused = 0
    for at in range(8, len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 4
        path.write_bytes(changed)
        found = hostile.read_all(safetensors, path)
        assert found in (None, right), at
        refused += found is None
    assert refused > 0.8 * len(whole)  # not: the blanks after the header, the key of the metadata


@pytest.mark.parametrize("key", [safetensors.KEY, safetensors.DIGEST])
def test_a_file_of_ours_with_one_of_its_texts_is_not_taken_for_another_s(path, key):
    ub.write_state(ARRAYS, path)
    damaged = path.read_bytes().replace(f'"{key}": '.encode(), f'"{key[:-1]}?": '.encode())
    path.write_bytes(damaged)
    with pytest.raises(FileFormatError, match="must have the SHA-256"):
        ub.read_state(path)


def test_mutations_end_in_an_error_or_in_what_was_written(path):
    ub.write_state(ARRAYS, path)
    ours = path.read_bytes()
    save_file(ARRAYS, path)
    theirs = path.read_bytes()
    right = {name: array.tobytes() for name, array in ARRAYS.items()}
    for seed in range(hostile.MUTATIONS):
        path.write_bytes(hostile.mutated(ours if seed % 2 else theirs, seed))
        found = hostile.measured(safetensors, path)
        if seed % 2:
            assert found in (None, right), seed


# written whole


def test_an_error_while_writing_leaves_the_old_file(path):
    path.write_bytes(b"old")
    path.chmod(0o640)

    def fail():
        with replacing(path) as file:
            file.write(b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]
    with replacing(path) as file:
        file.write(b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)


SAVE_FOR_EVER = """
import sys
import numpy as np
import unified_blocks as ub

states = [
    {f"{i}.weight": np.full((64, 64), value, "float32") for i in range(8)} for value in (1, 2)
]
print("ready", flush=True)
while True:
    for state in states:
        ub.write_state(state, sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_killed_at_any_moment_there_is_a_whole_file(path):
    ub.write_state({f"{i}.weight": np.full((64, 64), 1, "float32") for i in range(8)}, path)
    moments = random.Random(5)
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVE_FOR_EVER, path], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(moments.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        state = ub.read_state(path)
        values = {float(value) for array in state.values() for value in np.unique(array)}
        assert len(state) == 8
        assert values in ({1.0}, {2.0})
