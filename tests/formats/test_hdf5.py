"""Files of HDF5 as such: what is no plain array is refused, and damage is found, soon."""

import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.hostile import MUTATIONS, every_truncation, measured, mutated
from testbed.keras_files import LAYERS, handmade, some, stored
from unified_blocks.errors import FileFormatError
from unified_blocks.formats.keras import hdf5
from unified_blocks.formats.keras import weights as keras_h5

h5py = pytest.importorskip("h5py", reason="h5py is not installed")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.weights.h5"


@pytest.fixture
def small(path):
    """The bytes of a small file with a bit of everything."""
    kinds = {"hidden": "Dense", "names": "Embedding", "list.batch_normalization": "BatchNorm"}
    tensors = [
        stored(f"{place}.{name}", some(*shape), kind)
        for place, kind in kinds.items()
        for name, shape in LAYERS[kind].items()
    ]
    keras_h5.write(path, tensors, {"note": "x"})
    return path.read_bytes()


def _external(file):
    file.create_dataset("v", (2,), "f4", external=[("/etc/passwd", 0, 8)])


def _virtual(file):
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (2,))
    file.create_virtual_dataset("v", layout)


def _link(link):
    def make(file):
        file["v"] = link

    return make


def _array(value, **options):
    return lambda file: file.create_dataset("v", data=value, **options)


def _other_floats(file):
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_ebias(100)
    h5py.h5d.create(file.id, b"v", kind, h5py.h5s.create_simple((2,)))
    file["v"].id.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ones(2, "f4"))


def _cycle(file):
    file["a/b"] = file["/"]


def _twice(file):
    file["a"] = some(2)
    file["b"] = file["a"]


def _deep(file):
    file.create_group("/".join("a" * 60))


ONE_PIECE = "an array must be in one piece, not compressed; got layout"
NO_NUMBERS = "an array must be of floats or whole numbers"
ODD = {
    "external": (_external, "must be a group or a plain array; got message 0x7 at /v"),
    "virtual": (_virtual, "must be"),
    "external link": (_link(h5py.ExternalLink("/etc/passwd", "/")), "must be a group or a plain"),
    "soft link": (_link(h5py.SoftLink("/nowhere")), "links must be hard ones; got a soft one"),
    "compressed": (_array(np.zeros(10**6, "f4"), compression="gzip"), "must be a group or a plain"),
    "chunked": (_array(np.zeros(10, "f4"), chunks=(5,)), ONE_PIECE),
    "strings": (_array(["a", "b"]), NO_NUMBERS),
    "records": (_array(np.zeros(2, "f4,i4")), NO_NUMBERS),
    "opaque": (_array(np.zeros(2, "V2")), NO_NUMBERS),
    "complex": (_array(np.zeros(2, "c8")), NO_NUMBERS),
    "references": (lambda file: file.create_dataset("v", data=file.ref), NO_NUMBERS),
    "other floats": (_other_floats, NO_NUMBERS),
    "a group twice": (_cycle, "everything must be reached in one way"),
    "an array twice": (_twice, "everything must be reached in one way"),
    "deep": (_deep, "groups must be nested at most 50 deep"),
    "nothing in it": (_array(h5py.Empty("f4")), NO_NUMBERS),
    "a dtype": (lambda file: file.__setitem__("v", np.dtype("f4")), "an object must be a group"),
    "never written": (lambda file: file.create_dataset("v", (10**9,), "f4"), "must be in the file"),
}


@pytest.mark.parametrize(("make", "message"), ODD.values(), ids=ODD)
def test_anything_but_plain_arrays_is_refused(path, make, message):
    with h5py.File(path, "w") as file:
        make(file)
    assert measured(keras_h5, path) is None
    with pytest.raises(FileFormatError) as caught:
        hdf5.read(path, memoryview(path.read_bytes()))
    assert message in str(caught.value)


def test_a_file_of_a_later_version(path):
    h5py.File(path, "w", libver="latest").close()
    with pytest.raises(FileFormatError, match="the file must be of version 0, as h5py writes it"):
        keras_h5.read(path)


def changed(path, old, new):
    """The file with the bytes `old`, which occur once, replaced."""
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))
    with pytest.raises(FileFormatError) as caught:
        hdf5.read(path, memoryview(path.read_bytes()))
    return str(caught.value)


def test_a_shape_larger_than_the_array(path):
    with h5py.File(path, "w") as file:
        file["v"] = np.zeros(12345, "f4")
    message = changed(path, struct.pack("<2Q", 12345, 12345), struct.pack("<2Q", 12346, 12346))
    assert "an array must be in the file; got (12346,) in 49,380 bytes" in message


def test_arrays_on_top_of_each_other(path, monkeypatch):
    """Two arrays of the same bytes are no attack, but many are."""
    with h5py.File(path, "w") as file:
        file["v"], file["w"] = np.zeros(5000, "f4"), np.ones(5000, "f4")
        first, second = (struct.pack("<2Q", file[n].id.get_offset(), 20_000) for n in "vw")
    data = memoryview(path.read_bytes().replace(second, first))
    assert hdf5.read(path, data).arrays["w"].read()[0] == 0
    monkeypatch.setattr(hdf5, "MOST_EXPANSION", 0.5)
    with pytest.raises(FileFormatError, match=r"arrays must be at most 0\.5 times the file"):
        hdf5.read(path, data)


def test_a_string_that_is_read_again_and_again(path, monkeypatch):
    """What the file makes the reader do is in proportion to its size."""
    with h5py.File(path, "w") as file:
        file["v"] = np.zeros(2, "f4")
        for i in range(30):
            file["v"].attrs[f"a{i}"] = "x"
    data = memoryview(path.read_bytes())
    assert hdf5.read(path, data).arrays.keys() == {"v"}
    monkeypatch.setattr(hdf5, "_ALWAYS", -hdf5.MOST_EXPANSION * len(data) // hdf5._UNIT + 100)
    with pytest.raises(FileFormatError, match="must be in proportion to the file"):
        hdf5.read(path, data)


def test_a_big_group(path):
    """Many layers, which need a tree of several levels."""
    count = 2_000
    with h5py.File(path, "w") as file:
        for i in range(count):
            file[f"layers/dense_{i}/vars/0"] = np.full((2, 1), i, "f4")
            file[f"layers/dense_{i}/vars"].attrs["name"] = f"dense_{i}"
    found = keras_h5.read(path)
    assert len(found) == count
    assert found["layers.dense_1999.weight"].tolist() == [[1999, 1999]]


def test_big_endian(path):
    handmade(path, {("", "m"): [], ("a", "dense"): [some(3, 2).astype(">f4"), some(2)]})
    found = keras_h5.read(path)["a.weight"]
    assert found.dtype == np.dtype("float32")
    assert found.tobytes() == some(3, 2).T.tobytes()


def test_what_is_read_is_a_view(path, small):
    assert not keras_h5.read(path)["hidden.bias"].flags.owndata


def test_every_truncation_is_refused(path):
    keras_h5.write(path, [stored("a.weight", some(2, 3), "Dense")], {})
    assert every_truncation(keras_h5, path, path.read_bytes()) == 0


def test_a_truncation_that_the_file_denies(path, small):
    """The size that the file tells is that of what is left of it."""
    for size in range(96, len(small), 16):
        path.write_bytes(small[:40] + struct.pack("<Q", size) + small[48:size])
        measured(keras_h5, path)


SOME = settings(
    max_examples=MUTATIONS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@SOME
@given(seed=st.integers(0, 2**32))
def test_a_mutation_is_refused_or_read(path, small, seed):
    path.write_bytes(mutated(small, seed))
    measured(keras_h5, path)


@SOME
@given(
    at=st.integers(0, 10**6),
    value=st.one_of(st.integers(0, 2**16), st.integers(0, 2**64 - 1), st.just(2**64 - 1)),
)
def test_a_number_changed_in_the_structure(path, small, at, value):
    """In eight bytes from one that is not 0, where addresses and sizes are."""
    filled = np.flatnonzero(np.frombuffer(small, "u1"))
    start = int(filled[at % len(filled)])
    path.write_bytes(small[:start] + struct.pack("<Q", value) + small[start + 8 :])
    measured(keras_h5, path)
