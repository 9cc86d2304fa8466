"""The `.params` files of MXNet 2.0: a zip of `.npy` files, stored or deflated."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from unified_blocks.errors import FileFormatError
from unified_blocks.formats.mxnet.values import DTYPES, MAX_ARRAYS, decoded, fits, stored
from unified_blocks.formats.stored import Stored
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
    members = _members(path)
    if len(members) > MAX_ARRAYS:
        raise _wrong(path, f"must hold at most {MAX_ARRAYS} arrays", f"{len(members)}")
    size = sum(member.file_size for member in members)
    if size > 10 * len(data):
        raise _wrong(
            path,
            "must not become more than 10 times as large when it is unpacked",
            f"{size} bytes in a file of {len(data)}",
            "save it without compression",
        )
    return [_tensor(path, data, member) for member in members]


def _members(path: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    # Besides what it promises, what `zipfile` runs into where a directory lies: text that is not
    # UTF-8, a field cut short, a place before the beginning of the file.
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OSError) as error:
        raise _wrong(path, "must have an intact directory", str(error)) from None


def _tensor(path: Path, data: memoryview, member: zipfile.ZipInfo) -> Stored:
    name = member.filename
    if not name.endswith(".npy"):
        raise _wrong(path, "must hold .npy files only", repr(name))
    content = partial(_content, path, data, member)
    found = _NPY.match(content(_HEAD))
    if found is None or found[2] not in _DTYPES:
        raise _wrong(path, "must hold arrays of plain numbers", f"another header in {name}")
    order, code, fortran, dimensions = found.groups()
    dtype = _DTYPES[code]
    shape = tuple(int(size) for size in re.findall(rb"\d+", dimensions))
    size = fits(shape, dtype)
    if size is None or found.end() + size != member.file_size:
        raise _wrong(
            path,
            "must hold as many bytes of an array as its shape says",
            f"{member.file_size - found.end()} of shape {shape} and {dtype} in {name}",
        )

    def intact() -> memoryview | bytes:
        bytes_ = content(member.file_size)
        if len(bytes_) != member.file_size or zlib.crc32(bytes_) != member.CRC:
            raise _wrong(
                path, "must hold what was put in it", f"another size or checksum of {name}"
            )
        return bytes_

    def verify() -> None:
        intact()

    def read() -> Array:
        bytes_ = intact()
        sign = ">" if order == b">" else "<"
        if fortran == b"True":
            return decoded(bytes_, found.end(), shape[::-1], dtype, sign).T
        return decoded(bytes_, found.end(), shape, dtype, sign)

    described = stored(shape, dtype, data, 0, name.removesuffix(".npy"))
    return replace(described, read=read, verify=verify)


def _content(
    path: Path, data: memoryview, member: zipfile.ZipInfo, size: int
) -> memoryview | bytes:
    """The first `size` bytes of a member, unpacked; fewer if it has fewer."""
    name, start = member.filename, member.header_offset
    head = bytes(data[start : start + _LOCAL.size])
    if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04"):
        raise _wrong(path, "must hold each file where its directory says", f"no {name} there")
    _, name_length, extra_length = _LOCAL.unpack(head)
    start += _LOCAL.size + name_length + extra_length
    packed = data[start : start + member.compress_size]
    if len(packed) < member.compress_size:
        raise _wrong(path, "must hold each file in full", f"{len(packed)} bytes of {name}")
    encrypted, packing = member.flag_bits & 1, member.compress_type
    if encrypted or packing not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _wrong(path, "must hold files stored or deflated", f"{name} packed otherwise")
    if packing == zipfile.ZIP_STORED:
        return packed[:size]
    size = min(size, member.file_size)
    try:
        # 0 would mean everything. What is not unpacked is copied, so give it no more than needed.
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed[: 2 * size + 1024], size or 1)
    except zlib.error as error:
        raise _wrong(path, "must hold intact files", f"{error} in {name}") from None


def _wrong(path: Path, rule: str, received: str, remedy: str = "copy it anew") -> FileFormatError:
    return FileFormatError(f"{path}: the zip of a .params file {rule}; got {received}; {remedy}")
