"""What a file says of itself, in which order its arrays are, and what is refused or damaged."""

import errno
import hashlib
import json
import os
import struct
import time
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save_file

import unified_blocks as ub
from testbed import hostile
from testbed.params_files import array, numbers, params, zipped
from testbed.torch_files import STORAGE, of_pickle, state, tensor, text
from unified_blocks.formats import safetensors
from unified_blocks.formats.atomic import replacing
from unified_blocks.models.variables import stored_of

NAMES = [f"dense_{i}.{name}" for i in (2, 10, 1) for name in ("weight", "bias")]
STATE = {n: numbers(3, 2) if n.endswith("weight") else numbers(3) for n in NAMES}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.safetensors"


# Order


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".params", ".weights.h5"])
def test_a_file_of_ours_is_in_the_order_of_the_model(tmp_path, suffix):
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    ub.write_state(STATE, tmp_path / f"x{suffix}")
    file = ub.read_state(tmp_path / f"x{suffix}")
    assert file.ordered
    assert list(file) == NAMES


def test_others_sort_their_arrays(tmp_path, path):
    save_file(STATE, path)
    assert not ub.read_state(path).ordered
    (tmp_path / "x.params").write_bytes(zipped(STATE))
    assert not ub.read_state(tmp_path / "x.params").ordered
    (tmp_path / "y.params").write_bytes(params(array(numbers(2)), names=["x.bias"]))
    assert ub.read_state(tmp_path / "y.params").ordered


@pytest.mark.parametrize("place", ["0", "7", "one", None])
def test_places_that_are_not_those_of_all_layers_tell_no_order(tmp_path, place):
    h5py = pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    ub.write_state(STATE, tmp_path / "x.weights.h5")
    with h5py.File(tmp_path / "x.weights.h5", "a") as file:
        del file["dense_1/vars"].attrs["unified_blocks_place"]
        if place is not None:
            file["dense_1/vars"].attrs["unified_blocks_place"] = place
    file = ub.read_state(tmp_path / "x.weights.h5")
    assert (file.ordered, set(file)) == (False, set(NAMES))


def test_many_names_are_sorted_soon(path):
    save_file({f"{i}.x": np.zeros(1, "uint8") for i in range(40_000)}, path)
    started = time.perf_counter()
    assert len(ub.read_state(path)) == 40_000
    assert time.perf_counter() - started < hostile.SECONDS


# Whose words they are


def test_a_format_that_others_write_is_no_version_of_ours(tmp_path, path):
    save_file(STATE, path, {"format": "pt"})
    file = ub.read_state(path)
    assert (file.metadata, file.own) == ({"format": "pt"}, {})
    content = b"\x80\x02}(" + text("format") + text("pt") + text("x") + tensor() + b"u."
    file = ub.read_state(of_pickle(tmp_path / "x.pt", content, STORAGE))
    assert (file.metadata, file.own) == ({"format": "pt"}, {})


def test_what_ours_say_is_apart(path):
    ub.write_state(STATE, path, metadata={"format": 1, "note": "x"})
    file = ub.read_state(path)
    assert file.metadata == {}
    assert (file.own["format"], file.own["note"]) == (1, "x")


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".weights.h5"])
@pytest.mark.parametrize("version", [2, 0, -1, True, "pt"])
def test_a_version_that_cannot_be_read_is_not_written(tmp_path, suffix, version):
    with pytest.raises(ub.FileFormatError, match="must be of format version 1"):
        ub.write_state(STATE, tmp_path / f"x{suffix}", metadata={"format": version})
    assert not list(tmp_path.iterdir())


def edited(path, change):
    """A file of ours whose metadata `change` has changed, digest and all."""
    ub.write_state({"x.weight": numbers(2)}, path, metadata={"format": 1})
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    own = json.loads(header["__metadata__"][safetensors.KEY])
    change(own)
    words = json.dumps(own)
    digest = hashlib.sha256(words.encode()).hexdigest()
    header["__metadata__"] = {safetensors.KEY: words, safetensors.DIGEST: digest}
    packed = json.dumps(header).encode()
    path.write_bytes(len(packed).to_bytes(8, "little") + packed + data[8 + length :])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda own: own.update(format=True), "got True"),
        (lambda own: own.update(format=0), "got 0"),
        (lambda own: own.update(frozen=3), "frozen is not a list"),
        (lambda own: own.update(frozen=[3]), "frozen is not a list"),
        (lambda own: own["tensors"]["x.weight"].update(role=[1]), "the role or kind of x.weight"),
        (lambda own: own["tensors"]["x.weight"].update(kind=1), "the role or kind of x.weight"),
        (lambda own: own["tensors"]["x.weight"].pop("sha256"), "sha256"),
        (lambda own: own["tensors"]["x.weight"].update(sha256=1), "the SHA-256 of x.weight"),
        (lambda own: own["tensors"]["x.weight"].update(dtype=[]), "must be those of"),
    ],
)
def test_what_ours_would_not_say_is_refused(path, change, words):
    edited(path, change)
    with pytest.raises(ub.FileFormatError, match=words):
        ub.read_state(path)


# Names that a format has not


def test_the_name_of_metadata_is_no_name(path):
    with pytest.raises(ub.UnsupportedError, match="got __metadata__: rename it"):
        ub.write_state({"__metadata__": numbers(2)}, path)
    assert not path.exists()


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".params", ".weights.h5"])
def test_a_name_that_is_half_a_character(tmp_path, suffix):
    with pytest.raises(ub.UnsupportedError, match="must be valid UTF-8 text"):
        ub.write_state({"a\udc80.weight": numbers(2)}, tmp_path / f"x{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("layer", ["é", "a/b", "a..b", "vars", "a.vars", "optimizer", "a" * 256])
def test_paths_that_keras_has_not_are_not_written(tmp_path, layer):
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    with pytest.raises(ub.UnsupportedError, match="the path of a layer in a file of Keras must be"):
        ub.write_state(
            {f"{layer}.weight": numbers(2), f"{layer}.bias": numbers(2)}, tmp_path / "x.weights.h5"
        )
    assert not list(tmp_path.iterdir())


def test_large_arrays_are_written_in_slices(tmp_path, monkeypatch):
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    from unified_blocks.formats.keras import write as keras_write

    monkeypatch.setattr(keras_write, "_SLICE", 64)
    large = {"a.weight": numbers(30, 20), "a.bias": numbers(30)}
    ub.write_state(large, tmp_path / "x.weights.h5")
    assert ub.diff_state(ub.read_state(tmp_path / "x.weights.h5"), large).equal


def test_kinds_of_layers_that_there_are_not(tmp_path):
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    path = tmp_path / "x.weights.h5"
    with pytest.raises(ub.UnsupportedError, match=r"got one for nope, where it has dense_2"):
        ub.write_state(STATE, path, kinds={"nope": "Dense"})
    ub.write_state(STATE, path, kinds={"/dense_1": "Dense"})
    with pytest.raises(ub.FileFormatError, match=r"got one for nope, where it has dense_1"):
        ub.read_state(path, kinds={"nope": "Dense"})


# Damage that a checksum tells


def damaged(path, content):
    """The file with a bit of `content` in it flipped."""
    data = path.read_bytes()
    assert data.count(content) == 1
    path.write_bytes(data.replace(content, bytes([content[0] ^ 1]) + content[1:]))


def assert_found_before_loading(path, name):
    file = ub.read_state(path)
    with pytest.raises(ub.FileFormatError, match="checksum"):
        stored_of(file)[name].verify()
    with pytest.raises(ub.FileFormatError, match="checksum"):
        file[name]


def test_a_flipped_bit_in_a_file_of_torch(tmp_path):
    path = tmp_path / "x.pt"
    ub.write_state({"x": numbers(50), "y": numbers(3)}, path)
    damaged(path, numbers(50).tobytes())
    assert_found_before_loading(path, "x")
    ub.read_state(path).tensors["y"].verify()


def test_a_flipped_bit_in_the_pickle(tmp_path):
    path = of_pickle(tmp_path / "x.pt", state(tensor()), STORAGE)
    damaged(path, text("t0"))
    with pytest.raises(ub.FileFormatError):
        ub.read_state(path)


def test_a_checksum_of_zero_is_none(tmp_path):
    path = of_pickle(tmp_path / "x.pt", state(tensor()), STORAGE)
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            data = data.replace(struct.pack("<I", member.CRC), bytes(4))
    path.write_bytes(data)
    assert ub.read_state(path)["t0"].sum() == 15


def test_a_flipped_bit_in_a_file_of_mxnet_2(tmp_path):
    path = tmp_path / "x.params"
    path.write_bytes(zipped({"x": numbers(50)}))
    damaged(path, numbers(50).tobytes())
    assert_found_before_loading(path, "x")


def test_a_flipped_bit_in_a_keras_file(tmp_path):
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    weights = numbers(7, 5)
    ub.write_state({"a.weight": weights, "a.bias": numbers(7)}, tmp_path / "x.weights.h5")
    path = tmp_path / "x.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.write(tmp_path / "x.weights.h5", "model.weights.h5")
    assert ub.diff_state(ub.read_state(path), ub.read_state(tmp_path / "x.weights.h5")).equal
    damaged(path, weights.T.tobytes())
    assert_found_before_loading(path, "a.weight")


# Where a file is written


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "x.safetensors", tmp_path / "x.safetensors"
    ub.write_state({"x": numbers(2)}, real)
    link.symlink_to(real)
    ub.write_state({"x": numbers(3)}, link)
    assert link.is_symlink()
    assert ub.read_state(real)["x"].shape == (3,)


def test_a_long_name(tmp_path):
    path = tmp_path / f"{'x' * 233}.safetensors"
    ub.write_state(STATE, path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "error"), [("none/x.pt", FileNotFoundError), ("folder.pt", IsADirectoryError)]
)
def test_a_target_that_cannot_be_is_named_before_anything_is_read(tmp_path, name, error):
    (tmp_path / "folder.pt").mkdir()
    with pytest.raises(error) as caught, replacing(tmp_path / name):
        pytest.fail("it began to write")
    assert caught.value.filename == str(tmp_path / name)
    assert caught.value.errno in (errno.ENOENT, errno.EISDIR)


def test_the_umask_is_left_alone(path, monkeypatch):
    old = os.umask(0o027)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(os, "umask", lambda mask: pytest.fail("it is the whole process's"))
            ub.write_state(STATE, path)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o640
