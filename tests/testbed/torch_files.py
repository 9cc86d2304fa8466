"""Files of PyTorch, written by hand."""

from __future__ import annotations

import struct
import zipfile

import numpy as np

from unified_blocks.formats.stored import Stored

DTYPES = (
    *("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"),
    *("complex64", "complex128", "uint16", "uint32", "uint64"),
)


def stored(name, array):
    return Stored(name, array.shape, array.dtype.name, lambda: array)


def some(dtype, shape=(3, 5), seed=0):
    return (np.random.default_rng(seed).normal(size=shape) * 50).astype("int8").astype(dtype)


def of_pickle(path, content, members=None):
    """A file of PyTorch whose `data.pkl` is `content`."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        for name, data in (members or {}).items():
            archive.writestr(f"archive/{name}", data)
    return path


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value):
    if abs(value) < 2**31:
        return b"J" + struct.pack("<i", value)
    size = value.bit_length() // 8 + 1
    return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)


def ints(*values):
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(count=6, offset=0, size=(2, 3), stride=(3, 1), storage="FloatStorage", more=b""):
    """The opcodes of a tensor in the storage "0"."""
    identity = b"(" + text("storage") + f"ctorch\n{storage}\n".encode() + text("0") + text("cpu")
    start = b"ctorch._utils\n_rebuild_tensor_v2\n(" + identity + number(count) + b"tQ"
    return start + number(offset) + ints(*size) + ints(*stride) + b"\x89}" + more + b"tR"


def state(*items):
    """A pickle of a dictionary that has these opcodes under the names t0, t1, …"""
    named = (text(f"t{i}") + item for i, item in enumerate(items))
    return b"\x80\x02}(" + b"".join(named) + b"u."


STORAGE = {"data/0": np.arange(6, dtype="float32").tobytes()}
