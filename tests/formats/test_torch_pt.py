"""Files of PyTorch, read and written without it, and compared with what it reads and writes."""

import pickle
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.hostile import EACH_SEED, every_truncation, measured, mutated, read_all
from testbed.torch_files import DTYPES, STORAGE, of_pickle, some, state, stored, tensor, text
from unified_blocks.errors import FileFormatError, StateMismatchError, UnsupportedError
from unified_blocks.formats.pytorch import archive as torch_pt
from unified_blocks.formats.stored import Stored


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.pt"


@pytest.fixture
def small(path):
    """The bytes of a small file, with a bit of everything."""
    arrays = {"a.weight": some("float32"), "a.bias": some("float64", (5,)), "n": some("int64", ())}
    torch_pt.write(path, [stored(n, a) for n, a in arrays.items()], {"note": "x"})
    return path.read_bytes()


# What is written is read.


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("shape", [(3, 5), (), (0, 3), (1,), (2, 3, 4)], ids=str)
def test_an_array_comes_back(path, kind, shape):
    array = some(kind, shape)
    torch_pt.write(path, [stored("x.weight", array)], {})
    found = torch_pt.read(path)
    assert found.tensors["x.weight"].dtype == kind
    assert found["x.weight"].dtype == kind
    assert found["x.weight"].shape == shape
    assert found["x.weight"].tobytes() == array.tobytes()


def test_metadata_comes_back(path):
    metadata = {"config": {"units": [1, 2]}, "note": "é", "rate": 0.1, "none": None}
    torch_pt.write(path, [stored("x", some("float32"))], metadata)
    assert torch_pt.read(path).own == metadata


def test_content_is_aligned_and_not_compressed(path, small):
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            head = small[member.header_offset :][:30]
            start = member.header_offset + 30 + sum(struct.unpack("<2H", head[26:]))
            assert start % 64 == 0
            assert member.compress_type == zipfile.ZIP_STORED


def test_equal_states_make_equal_files(path, small):
    again = path.with_name("again.pt")
    found = torch_pt.read(path)
    torch_pt.write(again, found.tensors.values(), found.own)
    assert again.read_bytes() == small


def test_one_array_at_a_time_is_read_for_writing(path):
    """Every array is given up before the next is asked for."""
    import weakref

    alive = []

    def read():
        assert all(array() is None for array in alive)
        array = np.zeros(1000, "float32")
        alive.append(weakref.ref(array))
        return array

    torch_pt.write(path, [Stored(f"t{i}", (1000,), "float32", read) for i in range(5)], {})
    assert len(alive) == 5


def test_a_failed_write_leaves_the_file_as_it_was(path, small):
    def fails():
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        torch_pt.write(path, [Stored("x", (2,), "float32", fails)], {})
    assert path.read_bytes() == small
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_an_array_unlike_its_announcement_is_not_written(path):
    with pytest.raises(StateMismatchError, match="x must be float32"):
        torch_pt.write(path, [Stored("x", (2,), "float32", lambda: np.zeros(3, "float32"))], {})


def test_a_dtype_that_torch_has_not(path):
    with pytest.raises(UnsupportedError, match="got x of str96; convert it"):
        torch_pt.write(path, [stored("x", np.array(["abc"]))], {})


def test_metadata_that_json_has_not(path):
    with pytest.raises(UnsupportedError, match="metadata in a file of PyTorch must be JSON"):
        torch_pt.write(path, [], {"x": object()})


def test_recognised_by_content_and_by_ending(path, small):
    assert torch_pt.recognises(small[:64], path.with_name("weights.bin"))
    assert torch_pt.recognises(b"PK\3\4" + bytes(26), path.with_name("a.pth"))
    assert not torch_pt.recognises(b"PK\3\4" + bytes(26), path.with_name("a.npz"))
    assert not torch_pt.recognises(b"\x89HDF\r\n\x1a\n", path.with_name("a.pt"))


# What a pickle may say.


def test_a_hand_made_tensor(path):
    found = torch_pt.read(of_pickle(path, state(tensor()), STORAGE))
    assert found["t0"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_strides_offsets_and_shared_storage(path):
    items = (
        tensor(size=(3, 2), stride=(1, 3)),
        tensor(offset=1, size=(2,), stride=(2,)),
        tensor(size=(), stride=(), offset=5),
        tensor(size=(4, 2), stride=(0, 1)),
    )
    found = torch_pt.read(of_pickle(path, state(*items), STORAGE))
    assert found["t0"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert found["t1"].tolist() == [1, 3]
    assert found["t2"].tolist() == 5
    assert found["t3"].tolist() == [[0, 1]] * 4


def test_bfloat16_is_read_as_float32(path):
    bits = np.array([0x3F80, 0xC000, 0x7F80, 0x0001], "uint16")
    item = tensor(4, size=(4,), stride=(1,), storage="BFloat16Storage")
    found = torch_pt.read(of_pickle(path, state(item), {"data/0": bits.tobytes()}))
    assert found["t0"].tolist() == [1.0, -2.0, np.inf, 2.0**-133]
    assert found.tensors["t0"].dtype == "float32"
    assert found.tensors["t0"].stored_dtype == "bfloat16"


def test_big_endian(path):
    members = {"data/0": np.arange(6, dtype=">f4").tobytes(), "byteorder": b"big"}
    found = torch_pt.read(of_pickle(path, state(tensor()), members))
    assert found["t0"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["t0"].dtype == np.dtype("float32")


def test_a_deflated_archive(path, small):
    again = path.with_name("deflated.pt")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert read_all(torch_pt, again) == read_all(torch_pt, path)


class Danger:
    def __reduce__(self):
        return print, ("boo",)


REFUSED = {
    "a call": (pickle.dumps(Danger(), 2), "got '__builtin__.print' before byte"),
    "a class": (b"\x80\x02c__main__\nNet\n.", "got '__main__.Net' before byte"),
    "protocol 6": (b"\x80\x06}.", "must be a pickle of protocol 2 to 5; got 6"),
    "a class of protocol 4": (pickle.dumps(Danger, 4), "Danger' before byte"),
    "a number for a name": (b"\x80\x04K\x01K\x02\x93.", "the name of a global must be a string"),
    "bytes": (b"\x80\x02c_codecs\nencode\n.", "got '_codecs.encode'"),
    "a set": (b"\x80\x02\x8f.", "got the opcode EMPTY_SET at byte 2"),
    "an object": (b"\x80\x02ctorch\nFloatStorage\n)\x81.", "got the opcode NEWOBJ"),
    "no opcode": (b"\x80\x02\xff.", "got the opcode 0xff, which no pickle has, at byte 2"),
    "calling a name": (b"\x80\x02ctorch\nFloatStorage\n)R.", "must call only what rebuilds"),
    "calling with a list": (b"\x80\x02ccollections\nOrderedDict\n]R.", "arguments must be a tuple"),
    "a filled dictionary": (b"\x80\x02ccollections\nOrderedDict\n}\x85R.", "filled item by item"),
    "attributes of a dict": (b"\x80\x02}}b.", "what has attributes must be a dict"),
    "appending to a dict": (b"\x80\x02}Na.", "what is appended to must be a list; got a dict"),
    "items of a list": (b"\x80\x02](u.", "what is given items must be"),
    "a key without a value": (b"\x80\x02}(K\x01u.", "a value for each key"),
    "a tuple as key": (b"\x80\x02})Ns.", "a key must be a string or a whole number; got a tuple"),
    "a string as id": (b"\x80\x02" + text("0") + b"Q.", "persistent id must be a tuple"),
    "an id of a module": (b"\x80\x02(" + text("module") + b"tQ.", "must be of a storage"),
    "no stack": (b"\x80\x020.", "got the opcode POP"),
    "a tuple of nothing": (b"\x80\x02\x86.", "IndexError: too little on the stack"),
    "a memo of nothing": (b"\x80\x02h\x01.", "must be whole; got one that is damaged"),
    "no end": (b"\x80\x02}", "must be whole; got one that is damaged before byte 3"),
    "a long string": (b"\x80\x02X\xff\xff\xff\xff.", "4294967295 bytes were announced"),
    "no text": (b"\x80\x02X\1\0\0\0\xff.", "UnicodeDecodeError"),
    "a list": (b"\x80\x02].", "must be a dictionary; got a list"),
    "a tensor": (b"\x80\x02" + tensor() + b".", "must be a dictionary; got a Tensor"),
    "a class as leaf": (state(b"ctorch\nFloatStorage\n"), "got a Global at t0"),
    "half a storage": (state(tensor(7)), "storage 0 must be a member of 28 bytes; got 24"),
    "no storage": (state(tensor(storage="QInt8Storage")), "got 'torch.QInt8Storage'"),
    "too large": (state(tensor(size=(2, 4))), "must lie in its storage of 24 bytes; got one of"),
    "an offset": (state(tensor(offset=1)), "must lie in its storage"),
    "a far stride": (state(tensor(stride=(2**62, 1))), "must lie in its storage"),
    "an overflow": (state(tensor(size=(2**40, 2**40, 0), stride=(1, 1, 1))), "must lie in its"),
    "a huge count": (state(tensor(2**62)), "must be a member of 18,446,744,073,709,551,616 bytes"),
    "a negative count": (state(tensor(-1)), "must have a key and a size"),
    "a negative size": (state(tensor(size=(-2, 3))), "none negative"),
    "a negative stride": (state(tensor(offset=5, stride=(-3, -1))), "none negative"),
    "a beyond size": (state(tensor(size=(2**200, 0))), "none negative"),
    "fewer strides": (state(tensor(stride=(1,))), "a stride for each"),
    "many axes": (state(tensor(size=(1,) * 33, stride=(1,) * 33)), "of up to 32 axes"),
    "a conjugate": (
        state(tensor(storage="ComplexFloatStorage", more=b"}" + text("conj") + b"\x88s")),
        "not be conjugated",
    ),
    "expanded without end": (
        state(tensor(size=(2**40, 3), stride=(0, 1))),
        "save expanded tensors after .contiguous()",
    ),
    "two sizes": (state(tensor(), tensor(5, size=(1,), stride=(1,))), "a storage must have one"),
    "one name twice": (
        state(b"}" + text("a") + tensor() + b"s").replace(b"u.", text("t0.a") + tensor() + b"u."),
        "got t0.a twice",
    ),
    "itself": (b"\x80\x02}q\x00" + text("a") + b"h\x00s.", "nested at most 50 deep"),
    "a billion laughs": (
        state(b"]q\x00", *(b"](h%ch%ceq%c" % (i, i, i + 1) for i in range(40))),
        "must be at most",
    ),
    "our metadata": (
        b"\x80\x02ccollections\nOrderedDict\n)R}"
        + text("unified_blocks_metadata") + text("[" * 100_000) + b"sb.",
        "must be JSON; got RecursionError",
    ),
    "our metadata a list": (
        b"\x80\x02ccollections\nOrderedDict\n)R}"
        + text("unified_blocks_metadata") + text("[1]") + b"sb.",
        "must be an object; got a list",
    ),
    "our metadata a number": (
        b"\x80\x02ccollections\nOrderedDict\n)R}"
        + text("unified_blocks_metadata") + b"K\x01sb.",
        "must be JSON; got TypeError",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_a_pickle_of_anything_else_is_refused(path, capsys, content, message):
    of_pickle(path, content, STORAGE)
    assert measured(torch_pt, path) is None
    with pytest.raises(FileFormatError) as caught:
        torch_pt.read(path)
    assert message in str(caught.value)
    assert not capsys.readouterr().out  # nothing of it was run


@pytest.mark.parametrize("opcodes", [b"}", b"(", b"}q\x00", b"\x85"], ids=repr)
def test_a_pickle_without_end_is_given_up(path, opcodes):
    content = b"\x80\x02N" + opcodes * 200_000 + b"."
    of_pickle(path, content)
    assert measured(torch_pt, path) is None
    with pytest.raises(FileFormatError, match=r"at most [0-9,]+ operations, from the size of"):
        torch_pt.read(path)


def test_every_truncation_is_refused(path, small):
    assert every_truncation(torch_pt, path, small) == 0


@EACH_SEED
@given(seed=st.integers(0, 2**32))
def test_a_mutation_is_refused_or_read(path, small, seed):
    path.write_bytes(mutated(small, seed))
    measured(torch_pt, path)


@EACH_SEED
@given(seed=st.integers(0, 2**32))
def test_a_mutated_pickle_is_refused_or_read(path, seed):
    """The mutation is within the pickle, which a mutation of the whole file seldom reaches."""
    content = state(tensor(), tensor(offset=1, size=(2,), stride=(2,)), b"](K\x01K\x02e", b"N")
    measured(torch_pt, of_pickle(path, mutated(content, seed), STORAGE))


def test_many_tensors(path):
    """Ten thousand tensors are no attack."""
    torch_pt.write(
        path, [stored(f"layers.{i}.w", some("float32", (4,))) for i in range(10_000)], {}
    )
    found = torch_pt.read(path)
    assert len(found) == 10_000
    assert found["layers.9999.w"].tolist() == some("float32", (4,)).tolist()
