"""The `.params` files of MXNet 2.0: a zip of `.npy` files, stored or deflated."""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np

from unified_blocks.errors import FileFormatError
from unified_blocks.formats.mxnet.values import DTYPES, MAX_ARRAYS, decoded, fits, stored
from unified_blocks.formats.stored import Stored
from unified_blocks.formats.zips import DAMAGED, Archive
from unified_blocks.types import Array

_LOCAL = struct.Struct("<4s22xHH")
_NPY = re.compile(
    rb"\x93NUMPY(?:\x01\x00..|[\x02\x03]\x00....)"
    rb"\{'descr': (?:'([<>|])([a-z]\d)'|\[\('bfloat16', '<u2'\)\]), "
    rb"'fortran_order': (False|True), 'shape': \(((?:\d{1,19}, ?)*(?:\d{1,19})?)\), ?\} *\n",
    re.DOTALL,
)
_DTYPES: dict[bytes | None, str] = {
    None: "bfloat16",
    **{np.dtype(name).str[1:].encode(): name for name in DTYPES if name != "bfloat16"},
}
_HEAD = 1024  # the header of an array of 32 dimensions is smaller


def recognises(head: bytes) -> bool:
    """Whether a file that begins so is a zip with an `.npy` file first."""
    if len(head) < 30 or not head.startswith(b"PK\x03\x04"):
        return False
    _, length, _ = _LOCAL.unpack_from(head)
    return head[30 : 30 + length].endswith(b".npy")


def tensors(path: Path, data: memoryview) -> list[Stored]:
    """The arrays in the file `path`, whose bytes are `data`."""
    archive = Archive(path, data)
    if len(archive.members) > MAX_ARRAYS:
        raise _wrong(path, f"must hold at most {MAX_ARRAYS} arrays", f"{len(archive.members)}")
    return [_tensor(archive, name) for name in archive.members]


def _tensor(archive: Archive, name: str) -> Stored:
    path, whole = archive.path, archive.members[name].size
    if not name.endswith(".npy"):
        raise _wrong(path, "must hold .npy files only", repr(name))
    found = _NPY.match(archive.head(name, _HEAD))
    if found is None or found[2] not in _DTYPES:
        raise _wrong(path, "must hold arrays of plain numbers", f"another header in {name}")
    order, code, fortran, dimensions = found.groups()
    dtype = _DTYPES[code]
    shape = tuple(int(size) for size in re.findall(rb"\d+", dimensions))
    size = fits(shape, dtype)
    if size is None or found.end() + size != whole:
        raise _wrong(
            path,
            "must hold as many bytes of an array as its shape says",
            f"{whole - found.end()} of shape {shape} and {dtype} in {name}",
        )

    def verify() -> None:
        archive.verify(name)
        archive.read(name)

    def read() -> Array:
        archive.verify(name)
        content = archive.read(name)
        sign = ">" if order == b">" else "<"
        if fortran == b"True":
            return decoded(content, found.end(), shape[::-1], dtype, sign).T
        return decoded(content, found.end(), shape, dtype, sign)

    described = stored(shape, dtype, archive.data, 0, name.removesuffix(".npy"))
    return replace(described, read=read, verify=verify)


def _wrong(path: Path, rule: str, received: str) -> FileFormatError:
    return FileFormatError(f"{path}: the zip of a .params file {rule}; got {received}; {DAMAGED}")
