"""A state dict as PyTorch's zip file: a pickle that describes tensors, and a member for each."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from unified_blocks.errors import StateMismatchError, UnsupportedError
from unified_blocks.formats.atomic import replacing
from unified_blocks.formats.pytorch.sorting import ATTRIBUTE
from unified_blocks.formats.pytorch.tensors import STORAGES, UNTYPED
from unified_blocks.formats.stored import Stored

_ROOT = "archive"
_ALIGNMENT = 64
_HEADER = 30 + 20 + 4  # before the name, for 64 bit sizes, before the padding
_STORAGE_OF = {dtype: f"torch\n{name}" for name, dtype in STORAGES.items() if dtype != "bfloat16"}
_ORDERED = b"ccollections\nOrderedDict\n)R"


def write_archive(path: Path, tensors: Iterable[Stored], metadata: Mapping[str, Any]) -> None:
    """See `archive.write`."""
    kept = list(tensors)
    content = _pickle(kept, metadata)
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        _add(file, archive, "data.pkl", content)
        _add(file, archive, "byteorder", b"little")
        for i, stored in enumerate(kept):
            _add(file, archive, f"data/{i}", _bytes_of(stored))
        _add(file, archive, "version", b"3\n")


def _add(file: BinaryIO, archive: zipfile.ZipFile, name: str, content: Any) -> None:
    """A member whose content begins at a multiple of `_ALIGNMENT`, as PyTorch maps it."""
    member = zipfile.ZipInfo(f"{_ROOT}/{name}")  # of 1980: equal states make equal files
    member.file_size = len(content)
    plain = file.tell() + _HEADER + len(member.filename)
    padding = -plain % _ALIGNMENT
    member.extra = struct.pack("<2sH", b"FB", padding) + bytes(padding)
    with archive.open(member, "w", force_zip64=True) as writer:
        writer.write(content)


def _bytes_of(stored: Stored) -> Any:
    array = stored.read()
    if array.shape != stored.shape or array.dtype.name != stored.dtype:
        raise StateMismatchError(
            f"{stored.name} must be {stored.dtype} {stored.shape} as announced; got "
            f"{array.dtype.name} {array.shape} when it was read"
        )
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return little.reshape(-1).view("uint8").data


def _pickle(tensors: list[Stored], metadata: Mapping[str, Any]) -> bytes:
    """The pickle of an `OrderedDict` of these tensors, each in its own storage."""
    try:
        text = json.dumps(metadata)
    except (TypeError, ValueError) as error:
        raise UnsupportedError(
            f"metadata in a file of PyTorch must be JSON; got {error}"
        ) from error
    items = b"".join(_string(t.name) + _tensor(str(i), t) for i, t in enumerate(tensors))
    attributes = b"}" + _string(ATTRIBUTE) + _string(text) + b"s"
    return b"\x80\x02" + _ORDERED + b"(" + items + b"u" + attributes + b"b."


def _tensor(key: str, stored: Stored) -> bytes:
    count = int(np.prod(stored.shape, dtype=object))
    if stored.dtype in _STORAGE_OF:
        kind, version, dtype = _STORAGE_OF[stored.dtype], 2, b""
    elif stored.dtype in UNTYPED:
        kind, version, dtype = (
            "torch.storage\nUntypedStorage",
            3,
            f"ctorch\n{stored.dtype}\n".encode(),
        )
        count *= np.dtype(stored.dtype).itemsize
    else:
        known = ", ".join((*_STORAGE_OF, *UNTYPED))
        raise UnsupportedError(
            f"PyTorch has the dtypes {known}; got {stored.name} of {stored.dtype}; convert it"
        )
    storage = [_string("storage"), f"c{kind}\n".encode(), _string(key), _string("cpu"), _int(count)]
    strides = [int(np.prod(stored.shape[i + 1 :], dtype=object)) for i in range(len(stored.shape))]
    function = f"ctorch._utils\n_rebuild_tensor_v{version}\n".encode()
    arguments = [
        _tuple(storage) + b"Q",
        _int(0),
        _tuple(map(_int, stored.shape)),
        _tuple(map(_int, strides)),
        b"\x89",  # False: it requires no gradient
        _ORDERED,  # of no hooks
        dtype,
    ]
    return function + _tuple(arguments) + b"R"


def _tuple(items: Iterable[bytes]) -> bytes:
    return b"(" + b"".join(items) + b"t"


def _string(text: str) -> bytes:
    encoded = text.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def _int(number: int) -> bytes:
    if number < 2**31:
        return b"J" + struct.pack("<i", number)
    return b"\x8a\x08" + struct.pack("<q", number)
