"""safetensors files, of this library and of others.

A file is eight bytes, the length of the header, little-endian; the header, in JSON: for each array
its dtype, shape and place, and under `__metadata__` strings; and then the numbers.
`docs/reference/checkpoint-format.md` describes the metadata of this library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from unified_blocks.errors import FileFormatError, UnsupportedError
from unified_blocks.formats.atomic import replacing
from unified_blocks.formats.bfloat16 import widened
from unified_blocks.formats.pytorch.counts import is_count
from unified_blocks.formats.stored import StateFile, Stored
from unified_blocks.types import Array

NAME = "safetensors"
REMEDY = "fetch it again, or save it anew"
SUFFIXES = (".safetensors",)
KEY = "unified_blocks"
"""The key of this library's metadata."""

DIGEST = "unified_blocks.sha256"
"""The SHA-256 of the text under `KEY`."""

DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "U32": "uint32",
    "I32": "int32",
    "U64": "uint64",
    "I64": "int64",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
}
CODES = {name: code for code, name in DTYPES.items()}

BUFFER = 1 << 18
"""How many bytes are hashed at a time."""

BLANK = "0" * 64
"""The place of a digest that is not known yet."""


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file that begins with these bytes is a safetensors file."""
    return len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**32


def read(path: Path) -> StateFile:
    """The arrays in the file: views of it, mapped into memory. A change to one is not written.

    In a file of this library each array is compared with its SHA-256 when it is first read.

    Raises:
        FileFormatError: when it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:  # checks all that the header claims
            names = list(file.offset_keys())
    except SafetensorError as error:
        raise FileFormatError(
            f"{path} must be a safetensors file; got one that is damaged ({error}): {REMEDY}"
        ) from error
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    texts = header.pop("__metadata__", None) or {}
    own = _own(path, texts, header)
    described = own.get("tensors", {})
    # The library lists names by place in the file; our metadata list them by place in the model.
    positions = {name: at for at, name in enumerate(described or header)}
    names.sort(key=positions.__getitem__)
    begins = 8 + length
    data = np.memmap(path, np.uint8, "c", offset=begins) if path.stat().st_size > begins else None
    tensors = (
        Place(path, name, header[name], described.get(name, {}), data, begins) for name in names
    )
    others = {key: text for key, text in texts.items() if key not in (KEY, DIGEST)}
    stored = (place.stored() for place in tensors)
    return StateFile.of(path, NAME, stored, others, own=own, ordered=bool(own))


def _own(path: Path, texts: Mapping[str, str], header: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata that this library wrote; empty for another file."""
    if KEY not in texts and DIGEST not in texts:
        return {}
    if hashlib.sha256(texts.get(KEY, "").encode()).hexdigest() != texts.get(DIGEST):
        raise FileFormatError(
            f"{path}: the metadata must have the SHA-256 that the file gives; got another: the "
            f"file is damaged; {REMEDY}"
        )
    try:
        metadata = json.loads(texts[KEY])
        described = {
            name: (CODES[tensor["dtype"]], tensor["shape"])
            for name, tensor in metadata["tensors"].items()
        }
        _check_types(metadata)
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError) as error:
        raise FileFormatError(
            f"{path}: the metadata must be those of {KEY}; got others ({error!r}): {REMEDY}"
        ) from error
    if described != {name: (entry["dtype"], entry["shape"]) for name, entry in header.items()}:
        raise FileFormatError(
            f"{path}: the header must list the arrays of the metadata; got others: the file is "
            f"damaged; {REMEDY}"
        )
    return dict(metadata)


def _check_types(metadata: Mapping[str, Any]) -> None:
    """Raise `TypeError` for a value of another type than this library writes."""
    frozen = metadata.get("frozen", [])
    if not isinstance(frozen, list) or not all(isinstance(name, str) for name in frozen):
        raise TypeError("frozen is not a list of names")
    for name, tensor in metadata["tensors"].items():
        if not isinstance(tensor["sha256"], str):
            raise TypeError(f"the SHA-256 of {name} is not a string")
        if not all(isinstance(tensor.get(key), str | None) for key in ("role", "kind")):
            raise TypeError(f"the role or kind of {name} is not a string")


@dataclass
class Place:
    """Where an array is in a file."""

    path: Path
    name: str
    entry: Mapping[str, Any]
    described: Mapping[str, Any]
    data: Any
    begins: int
    intact: bool = False

    def stored(self) -> Stored:
        code = self.entry["dtype"]
        if code != "BF16" and code not in DTYPES:
            raise FileFormatError(
                f"{self.path}: the dtype of an array must be one of {', '.join(DTYPES)}, BF16; got "
                f"{code} for {self.name}: convert it where it was made"
            )
        return Stored(
            self.name,
            tuple(self.entry["shape"]),
            DTYPES.get(code, "float32"),
            self.read,
            self.described.get("role"),
            self.described.get("kind"),
            stored_dtype="bfloat16" if code == "BF16" else None,
            verify=self.verify if "sha256" in self.described else None,
            optional=is_count(self.name),
        )

    def raw(self) -> Array:
        start, end = self.entry["data_offsets"]
        return np.empty(0, np.uint8) if start == end else np.asarray(self.data[start:end])

    def verify(self) -> None:
        if self.intact:
            return
        if self.digest() != self.described["sha256"]:
            raise FileFormatError(
                f"{self.path}: an array must have the SHA-256 that the file gives; got another for "
                f"{self.name}: the file is damaged; {REMEDY}"
            )
        self.intact = True

    def digest(self) -> str:
        """The SHA-256, by a buffer that stays in the processor's cache: a quarter faster."""
        start, end = self.entry["data_offsets"]
        digest, buffer = hashlib.sha256(), memoryview(bytearray(BUFFER))
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.begins + start)
            left = end - start
            while left and (count := file.readinto(buffer[:left])):
                digest.update(buffer[:count])
                left -= count
        return digest.hexdigest()

    def read(self) -> Array:
        if "sha256" in self.described:
            self.verify()
        code, shape = self.entry["dtype"], self.entry["shape"]
        if code == "BF16":
            return widened(self.raw().view("<u2")).reshape(shape)
        array = self.raw().view(np.dtype(DTYPES[code]).newbyteorder("<")).reshape(shape)
        return array if array.flags.aligned else array.copy()


def write(path: Path, tensors: Iterable[Stored], metadata: Mapping[str, Any]) -> None:
    """Write a file of this library, with one array at a time in memory.

    The SHA-256 of an array is found while it is written, and put into the header afterwards. (The
    library `safetensors` wants all arrays at once.)

    Raises:
        UnsupportedError: for a dtype that the format lacks; for an array called `__metadata__`,
            which is a reserved name in the format.
    """
    tensors = list(tensors)
    for stored in tensors:
        if stored.name == "__metadata__":
            raise UnsupportedError(
                f"{path}: an array in a safetensors file must not have the name of its metadata; "
                "got __metadata__: rename it"
            )
        if stored.dtype not in CODES:
            raise UnsupportedError(
                f"{path}: the dtype of an array in a safetensors file must be one of "
                f"{', '.join(CODES)}; got {stored.dtype} for {stored.name}: cast it first"
            )
    # Widest first: so each begins at a multiple of its width.
    placed = sorted(tensors, key=lambda stored: -np.dtype(stored.dtype).itemsize)
    starts = dict(zip(placed, accumulate((s.nbytes for s in placed), initial=0), strict=False))
    digests = dict.fromkeys(tensors, BLANK)

    def header() -> bytes:
        described = {stored.name: _described(stored, digests[stored]) for stored in tensors}
        text = json.dumps({**metadata, "tensors": described})
        digest = hashlib.sha256(text.encode()).hexdigest()
        entries: dict[str, Any] = {"__metadata__": {KEY: text, DIGEST: digest}}
        for stored in tensors:
            start = starts[stored]
            entries[stored.name] = {
                "dtype": CODES[stored.dtype],
                "shape": stored.shape,
                "data_offsets": (start, start + stored.nbytes),
            }
        packed = json.dumps(entries).encode()
        return packed + b" " * (-len(packed) % 64)

    with replacing(path) as file:
        blank = header()
        file.write(len(blank).to_bytes(8, "little") + blank)
        with ThreadPoolExecutor(1) as pool:
            for stored in placed:
                raw = _little_endian(stored.read(), stored.dtype)
                digest = pool.submit(hashlib.sha256, raw)  # while it is written
                file.write(raw)
                digests[stored] = digest.result().hexdigest()
                del raw, digest  # before the next one is read
        file.seek(8)
        file.write(header())


def _little_endian(array: Array, dtype: str) -> memoryview:
    """The bytes of an array as they are in a file."""
    ordered = np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<"))
    return ordered.reshape(-1).view(np.uint8).data


def _described(stored: Stored, digest: str) -> dict[str, Any]:
    known = {"role": stored.role, "kind": stored.kind}
    return {
        "dtype": stored.dtype,
        "shape": stored.shape,
        **{key: value for key, value in known.items() if value is not None},
        "sha256": digest,
    }
