"""Files of MXNet that lie or are damaged: an error that says so, in time and memory of their size.

`UNIFIED_BLOCKS_SOAK=1` makes 10,000 mutations instead of 500.
"""

import json
import os
import re
import struct
import tracemalloc
import zipfile
import zlib
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.params_files import (
    BFLOAT16,
    LEGACY,
    NO_STORAGE,
    NUMPY,
    announced,
    array,
    npy,
    numbers,
    params,
    some_rows,
    zip_of,
    zipped,
)
from unified_blocks.errors import FileFormatError
from unified_blocks.formats.mxnet import params as mxnet_params

ARRAYS = {"a.weight": numbers(3, 2), "bn.gamma": numbers(3), "b": numbers(2, dtype="float16")}
SMALL = params(*[array(a) for a in ARRAYS.values()], names=ARRAYS)
GRAPH = json.dumps(
    {
        "nodes": [
            {"op": "null", "name": "bn_gamma", "inputs": []},
            {"op": "BatchNorm", "name": "bn", "attrs": {"eps": "1"}, "inputs": [[0, 0], [0, 0]]},
        ]
    }
).encode()
FLOOR = 2**17  # what a file of some bytes takes for the objects that describe it
FAR = timedelta(seconds=10)  # a file of some bytes that takes so long never ends


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile") / "net-0000.params"


def read(path, content):
    """Every array of the file, all in memory at once."""
    path.write_bytes(content)
    return dict(mxnet_params.read(path))


def refused(path, content, match):
    """The file is refused, without more memory than it is worth."""
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=match):
            read(path, content)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(content) + FLOOR
    finally:
        tracemalloc.stop()


def one(shape, mark=LEGACY, code=0, content=b"", storage=0):
    return params(announced(mark, shape, code, storage) + content, names=["a.x"])


def rows(places, held, shape, mark=LEGACY, **lies):
    return params(some_rows(places, held, shape, mark, **lies), names=["a.x"])


def entry(content, **lies):
    """A zip with one file, whose directory lies."""
    data = bytearray(zip_of({"a.x.npy": content}, lies.pop("compression", zipfile.ZIP_STORED)))
    directory = data.rindex(b"PK\x01\x02")
    places = {"flags": (8, "<H"), "packing": (10, "<H"), "crc": (16, "<I"), "packed": (20, "<I")}
    places |= {"size": (24, "<I"), "offset": (42, "<I"), "name": (46, "<B")}
    end = len(data) - 22 - directory
    places |= {"directory_size": (end + 12, "<I"), "directory_offset": (end + 16, "<I")}
    for what, value in lies.items():
        place, layout = places[what]
        struct.pack_into(layout, data, directory + place, value)
    return bytes(data)


GIB4 = 2**32
LIES = {
    "empty": (b"", "must not be empty; copy it anew"),
    "mark": (b"\x13" + SMALL[1:], "must begin with MXNet's mark"),
    "reserved": (SMALL[:8] + b"\1" + SMALL[9:], "must begin with MXNet's mark"),
    "count": (params(count=2**64 - 1), f"at most 65536 arrays; got {2**64 - 1} announced"),
    "count of few": (params(array(numbers(1)), count=2), "what it announces; got 8 bytes"),
    "4 GiB": (one((2**30,)), f"what it announces; got {GIB4} bytes where"),
    "overflow": (one((2**33, 2**33)), "that the memory can address; got shape"),
    "overflow to 0": (one((2**32, 2**32, 2**32)), "that the memory can address"),
    "overflow of none": (one((0, 2**62)), "that the memory can address"),
    "overflow, old": (one((2**32 - 1,) * 32, None), "that the memory can address"),
    "dimensions": (one((1,) * 33), r"0 to 32 dimensions; got 33 \(0x21\)"),
    "dimensions, old": (one((1,) * 33, None), r"0 to 32 dimensions; got 33"),
    "mark of an array": (params(b"\xcb\xfa\x93\xf9" * 9), r"\(0xf993facb\) at byte 28"),
    "negative dimensions": (params(struct.pack("<Iii", LEGACY, 0, -1)), "32 dimensions; got -1"),
    "negative": (one((2, -1)), r"of 0 or more; got shape \(2, -1\)"),
    "negative, NumPy": (one((2, -2), NUMPY), r"of 0 or more; got shape \(2, -2\)"),
    "negative, 1.0": (one((-1,), NO_STORAGE), "of 0 or more"),
    "csr": (one((2,), storage=2), r'dense arrays only; got a csr.*tostype\("default'),
    "rows of another shape": (
        rows([0], numbers(1, 3), (4, 2)),
        r"of the array's shape; got \(1, 3",
    ),
    "rows of a scalar": (rows([0], numbers(1), (), NUMPY), "rows of the array's shape"),
    "rows without numbers": (rows([0], numbers(1, 2), (4, 2), count=2), "an int64 for each row"),
    "numbers of another dtype": (rows([0], numbers(1, 2), (4, 2), code=0), "an int64 for each row"),
    "a row beyond the end": (rows([4], numbers(1, 2), (4, 2)), "rows from 0 to 3; got another"),
    "a row before the start": (rows([-1], numbers(1, 2), (4, 2)), "rows from 0 to 3"),
    "few rows of many": (rows([0], numbers(1, 2), (2**20, 2)), r'10 times its size.*tostype\("def'),
    "rows that are missing": (rows([0], numbers(1, 2), (4, 2))[:-40], "hold what it announces"),
    "dtype": (one((1,), code=13, content=bytes(8)), "dtype 0 to 12; got dtype 13"),
    "dtype below": (one((1,), code=-1, content=bytes(8)), "dtype 0 to 12; got dtype -1"),
    "fewer names": (params(array(numbers(1)), names=["a"], named=2), "2 names of 1 arrays"),
    "names of some": (params(*[array(numbers(1))] * 2, names=["a"]), "1 names of 2 arrays"),
    "names of none": (params(names=["a"]), "1 names of 0 arrays"),
    "many names": (params(array(numbers(1)), named=2**63), f"{2**63} names of 1 arrays"),
    "length of a name": (params(array(numbers(1)), names=["a"], name_length=2**63), "announces"),
    "UTF-8": (params(array(numbers(1)), names=[b"\xff\xfe"]), "names in UTF-8; got 'utf-8' codec"),
    "surrogate": (params(array(numbers(1)), names=[b"\xed\xa0\x80"]), "names in UTF-8"),
    "twice": (params(*[array(numbers(1))] * 2, names=["a.x"] * 2), r"unique; got a\.x twice"),
    "twice, renamed": (
        params(*[array(numbers(1))] * 2, names=["arg:a_weight", "aux:a_weight"]),
        r"must be unique; got a\.weight twice",
    ),
    "more after it": (SMALL + b"\0", "must end after the names; got 1 bytes more"),
    "zip: object": (zip_of({"a.npy": npy("'|O'", "(1,)", bytes(8))}), "arrays of plain numbers"),
    "zip: text": (zip_of({"a.npy": npy("'<U1'", "(1,)", bytes(4))}), "arrays of plain numbers"),
    "zip: float of 1": (zip_of({"a.npy": npy("'<f1'", "(1,)", bytes(1))}), "of plain numbers"),
    "zip: code": (zip_of({"a.npy": npy("exit()", "(1,)")}), "arrays of plain numbers"),
    "zip: digits": (zip_of({"a.npy": npy("'<f4'", f"({'1' * 900})")}), "arrays of plain numbers"),
    "zip: overflow": (zip_of({"a.npy": npy("'<f4'", "(4294967296, 4294967296)")}), "as its shape"),
    "zip: shape": (zip_of({"a.npy": npy("'<f4'", "(1073741824,)")}), r"as its shape says; got 0"),
    "zip: dimensions": (zip_of({"a.npy": npy("'<f4'", f"({'1, ' * 33})", bytes(4))}), "its shape"),
    "zip: other file": (zip_of({"a.npy": npy("'<f4'", "()", bytes(4)), "b.txt": b""}), "'b.txt'"),
    "zip: no file": (entry(b""), "another header in a.x.npy"),
    "zip: bomb": (
        zipped({"a.x": np.zeros(2**20, "u1")}, zipfile.ZIP_DEFLATED),
        "at most 10 times its own size.*pack it again without compression",
    ),
    "zip: a size that lies": (entry(npy("'<f4'", "(1,)", bytes(4)), size=2**32 - 2), "10 times"),
    "zip: checksum": (
        entry(npy("'<f4'", "(1,)", bytes(4)), crc=1),
        "a.x.npy does not have the checksum",
    ),
    "zip: encrypted": (entry(npy("'<f4'", "(1,)", bytes(4)), flags=1), "stored or deflated"),
    "zip: packing": (entry(npy("'<f4'", "(1,)", bytes(4)), packing=14), "stored or deflated"),
    "zip: place": (
        entry(npy("'<f4'", "(1,)", bytes(4)), offset=7),
        "there is no header of",
    ),
    "zip: end": (
        entry(npy("'<f4'", "(1,)", bytes(4)), packed=2**31),
        "ends beyond the end of the file",
    ),
    "zip: not deflated": (entry(b"\xff" * 99, packing=8), r"cannot be inflated \(Error -3"),
    "zip: shorter": (
        entry(
            npy("'|u1'", "(300,)", bytes(200)),
            compression=zipfile.ZIP_DEFLATED,
            size=128 + 300,
            crc=zlib.crc32(npy("'|u1'", "(300,)", bytes(200))),
        ),
        "does not inflate to the 428 bytes it announces",
    ),
    "zip: nothing announced": (
        entry(bytes(2**20), compression=zipfile.ZIP_DEFLATED, size=0),
        "another header",
    ),
    "zip: UTF-8": (
        entry(npy("'<f4'", "()", bytes(4)), flags=0x800, name=255),
        "list of its members ends early",
    ),
    "zip: before it": (
        entry(npy("'<f4'", "()", bytes(4)), directory_offset=2**20),
        "list of members is not at its place",
    ),
    "zip: size of directory": (
        entry(npy("'<f4'", "()", bytes(4)), directory_size=2**20),
        "list of members is not at its place",
    ),
    "zip: directory": (b"PK\x03\x04" + bytes(40), "it has no list of members"),
}


@pytest.mark.parametrize(("content", "match"), LIES.values(), ids=LIES)
def test_a_lie_is_an_error(path, content, match):
    refused(path, content, match)


@pytest.mark.parametrize("mark", [NUMPY, LEGACY, NO_STORAGE, None])
def test_cut_off_anywhere(path, mark):
    content = params(*[array(a, mark) for a in ARRAYS.values()], names=ARRAYS)
    for end in range(1, len(content)):
        refused(path, content[:end], re.escape(str(path)))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_cut_off_anywhere(path, compression):
    content = zipped(ARRAYS, compression)
    for end in range(1, len(content)):
        refused(path, content[:end], re.escape(str(path)))


def test_the_most_arrays_with_the_least_bytes(path):
    """What describes an array takes more than the 4 bytes that it can take, but there is an end."""
    content = params(bytes(4 * 2**16), count=2**16)
    tracemalloc.start()
    try:
        assert len(read(path, content)) == 2**16
        assert tracemalloc.get_traced_memory()[1] < 2**27
    finally:
        tracemalloc.stop()
    refused(path, params(bytes(4 * 2**16 + 4), count=2**16 + 1), "at most 65536 arrays")


@pytest.mark.parametrize(
    "graph",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"nodes": 3}',
        b'{"nodes": [[]]}',
        b'{"nodes": [{"op": []}]}',
        b'{"nodes": [{"op": "BatchNorm"}]}',
        b'{"nodes": [{"op": "BatchNorm", "inputs": [[0], [9]]}]}',
        b'{"nodes": [{"op": "BatchNorm", "inputs": [[0], [0.5]]}]}',
        b'{"nodes": [{"op": "BatchNorm", "inputs": [[0], [0]], "name": 3}]}',
        b'{"nodes": [{"op": "BatchNorm", "attrs": []}]}',
        b'{"nodes": [{"op": "BatchNorm", "attrs": {"fix_gamma": 3}}]}',
        b'{"nodes": [], "x": ' + b"9" * 10_000 + b"}",
        GRAPH + b" " * 2**24,
    ],
    ids=lambda graph: graph[:60].decode("latin1"),
)
def test_a_graph_that_is_none_is_an_error(tmp_path, graph):
    (tmp_path / "net-symbol.json").write_bytes(graph)
    with pytest.raises(FileFormatError, match=r"net-symbol\.json: the graph beside net-0000"):
        read(tmp_path / "net-0000.params", SMALL)


SEEDS = [
    *(params(*[array(a, mark) for a in ARRAYS.values()], names=ARRAYS) for mark in (NUMPY, None)),
    params(array(numbers(2), NO_STORAGE), announced(LEGACY, (), 0)[:12], array(numbers(3, 1, 2))),
    params(array(numbers(4, dtype="u2"), LEGACY, BFLOAT16), names=["arg:bn_gamma"]),
    params(array(numbers(3)), array(numbers(3)), names=["arg:bn_gamma", "aux:bn_moving_mean"]),
    params(some_rows([2, 0], numbers(2, 3), (4, 3)), array(numbers(2)), names=["a.x", "b"]),
    zipped(ARRAYS),
    zipped(ARRAYS | {"c": numbers(40, 2).T}, zipfile.ZIP_DEFLATED),
]
EXTREMES = [
    struct.pack(layout, value)
    for layout, values in {
        "<Q": (0, 1, 2**16, 2**31, 2**32, 2**40, 2**62, 2**63 - 1, 2**64 - 1),
        "<I": (0, 1, 7, 12, 31, 2**16, 2**31 - 1, 2**31, 2**32 - 1, NUMPY, LEGACY, NO_STORAGE),
        "<H": (0, 8, 2**16 - 1),
    }.items()
    for value in values
]
EDITS = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from([0, 1, 4, 8, None]),  # how many bytes to take out; None is as many as go in
        st.sampled_from(EXTREMES) | st.binary(max_size=9),
    ),
    min_size=1,
    max_size=4,
)


def edited(content, edits):
    for where, out, put in edits:
        at = int(where * len(content))
        content = content[:at] + put + content[at + (len(put) if out is None else out) :]
    return content


@settings(
    max_examples=10_000 if os.environ.get("UNIFIED_BLOCKS_SOAK") else 500,
    derandomize=True,
    deadline=FAR,
    database=None,
)
@given(st.sampled_from(SEEDS), EDITS, st.just(GRAPH) | EDITS.map(lambda e: edited(GRAPH, e)))
def test_a_mutated_file_is_read_or_refused(path, seed, edits, graph):
    content = edited(seed, edits)
    path.write_bytes(content)
    path.with_name("net-symbol.json").write_bytes(graph)
    tracemalloc.start()
    try:
        read(path, content)
    except FileFormatError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 10 * len(content) + FLOOR


def test_mutations_are_read_and_refused(path):
    """Neither half of the test above is empty."""
    path.with_name("net-symbol.json").write_bytes(GRAPH)
    numbers_start = 24 + 12 + 16 + 12
    for at, is_read in ((numbers_start, True), (24, False)):
        content = edited(SMALL, [((at + 0.5) / len(SMALL), None, b"\xff\xff")])
        if is_read:
            assert read(path, content)["a.weight"][0, 0] != ARRAYS["a.weight"][0, 0]
        else:
            refused(path, content, "0 to 32 dimensions")
