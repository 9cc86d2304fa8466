"""The groups and plain arrays of an HDF5 file, found without the HDF5 library.

The library is not made for hostile files: a damaged one can make h5py loop forever or take much
memory. This module reads the part of the format that h5py writes by default, version 0 of the file
and 1 of its objects: groups, strings as attributes, and arrays in one piece, which become views of
the file in memory. It refuses everything else, such as links, filters and arrays in other files.

Format: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t11.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unified_blocks.errors import FileFormatError
from unified_blocks.formats.keras.messages import Numbers, dataspace, datatype, string_attribute
from unified_blocks.formats.zips import DAMAGED, MOST_EXPANSION

MAGIC = b"\x89HDF\r\n\x1a\n"
UNDEFINED = 2**64 - 1
_MOST_LEVELS = 50
_MOST_NAME = 255
_UNIT = 16  # bytes of memory for which a step counts
_UNITS_PER_OBJECT = 64
_ALWAYS = 10_000  # units, for small files
_SPACE, _TYPE, _LAYOUT, _ATTRIBUTE, _CONTINUATION, _SYMBOLS = 0x1, 0x3, 0x8, 0xC, 0x10, 0x11
_IGNORED = {0x0, 0x4, 0x5, 0xA, 0xD, 0xE, 0x12}  # nothing, fill values, comments, times


@dataclass
class Group:
    """A group: the groups and the arrays in it by name, and its attributes that are strings."""

    groups: dict[str, Group] = field(default_factory=dict)
    arrays: dict[str, Numbers] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)


def read(path: Path, data: memoryview) -> Group:
    """What the HDF5 file in `data` holds; `path` is for messages.

    Raises:
        FileFormatError: when it is damaged, or holds anything but groups and plain arrays.
    """
    if bytes(data[: len(MAGIC)]) != MAGIC:
        raise FileFormatError(
            f"{path}: a file of Keras must begin as HDF5; got {bytes(data[:8])!r}; {DAMAGED}"
        )
    reader = _Reader(path, data)
    try:
        return reader.root()
    except (struct.error, UnicodeDecodeError) as error:
        raise FileFormatError(
            f"{path}: a file of HDF5 must be whole; got one that is damaged "
            f"({type(error).__name__}: {error}); {DAMAGED}"
        ) from error


class _Reader:
    def __init__(self, path: Path, data: memoryview) -> None:
        self.path, self.data = path, data
        self.budget = _ALWAYS + MOST_EXPANSION * len(data) // _UNIT
        self.reached: set[int] = set()
        self.size = 0

    def root(self) -> Group:
        version, sizes = self._at("<B", 8), self._at("<2B", 13)
        base, _, end = self._at("<3Q", 24)
        if version != (0,) or sizes != (8, 8) or base != 0:
            raise self._refuse(
                "", "the file must be of version 0, as h5py writes it", f"{version[0]}"
            )
        if end > len(self.data):
            raise self._refuse("", f"the file must be of {end:,} bytes", f"{len(self.data):,}")
        found = self._object(self._at("<Q", 64)[0], "", 0)
        if not isinstance(found, Group):
            raise self._refuse("", "the file must begin with a group", "an array")
        return found

    def _object(self, address: int, name: str, level: int) -> Group | Numbers:
        """The group or array whose header is at `address`."""
        self._reach(address, name)
        self._spend(_UNITS_PER_OBJECT + len(name) // _UNIT)
        if level > _MOST_LEVELS:
            raise self._refuse(name, f"groups must be nested at most {_MOST_LEVELS} deep", "more")
        messages: dict[int, bytes] = {}
        attributes: dict[str, str] = {}
        for kind, content in self._messages(address, name):
            if kind == _ATTRIBUTE:
                attributes.update([string_attribute(content, self._heap_string)])
            elif kind in (_SPACE, _TYPE, _LAYOUT, _SYMBOLS) and kind not in messages:
                messages[kind] = content
            elif kind not in _IGNORED:
                raise self._refuse(
                    name, "what it holds must be a group or a plain array", f"message {kind:#x}"
                )
        if messages.keys() == {_SYMBOLS}:
            group = Group(attributes=attributes)
            for key, header in self._symbols(messages[_SYMBOLS], name):
                item = self._object(header, f"{name}/{key}", level + 1)
                if key in group.groups or key in group.arrays:
                    raise self._refuse(name, "a name must be unique", f"{key!r} twice")
                if isinstance(item, Group):
                    group.groups[key] = item
                else:
                    group.arrays[key] = item
            return group
        if messages.keys() == {_SPACE, _TYPE, _LAYOUT}:
            return self._numbers(messages, attributes, name)
        raise self._refuse(name, "an object must be a group or an array", "neither")

    def _messages(self, address: int, name: str) -> Iterator[tuple[int, bytes]]:
        """The messages of an object's header and of its continuation blocks."""
        version, _, count, _, size = self._at("<2BH2I", address)
        if version != 1:
            raise self._refuse(
                name, "an object must be of version 1, as h5py writes it", f"{version}"
            )
        blocks = [(address + 16, size)]
        for start, length in blocks:
            if start != address + 16:
                self._reach(start, name)
            at = start
            while at + 8 <= start + length and count:
                kind, size, flags = self._at("<2HB", at)
                content = self._bytes(at + 8, size)
                self._spend(1 + size // _UNIT)
                at += 8 + size
                count -= 1
                if flags & 0x2:
                    raise self._refuse(name, "messages must be where they are used", "a shared one")
                if kind == _CONTINUATION:
                    blocks.append(struct.unpack_from("<2Q", content))
                else:
                    yield kind, content

    def _symbols(self, message: bytes, name: str) -> Iterator[tuple[str, int]]:
        """The names in a group, and where the headers of what they name are."""
        tree, heap = struct.unpack_from("<2Q", message)
        mark, size, _, names = self._at("<4s4x3Q", heap)
        if mark != b"HEAP":
            raise self._refuse(name, "the names of a group must be in a heap", f"{mark!r}")
        nodes = [tree]
        while nodes:
            node = nodes.pop()
            self._reach(node, name)
            mark, count = self._at("<4s2xH", node)
            if mark == b"TREE":
                self._spend(count + 1)
                children = [self._at("<Q", node + 32 + 16 * i)[0] for i in range(count)]
                nodes.extend(reversed(children))
            elif mark == b"SNOD":
                for i in range(count):
                    self._spend(3)
                    offset, header, cached = self._at("<2QI", node + 8 + 40 * i)
                    if cached == 2:
                        raise self._refuse(name, "links must be hard ones", "a soft one")
                    text = self._bytes(names + offset, min(_MOST_NAME + 1, max(0, size - offset)))
                    key = text.partition(b"\0")[0].decode("utf-8")
                    if not key or len(text) == len(key.encode()) or "/" in key:
                        raise self._refuse(
                            name, f"a name must have 1 to {_MOST_NAME} bytes", f"{key!r}"
                        )
                    yield key, header
            else:
                raise self._refuse(name, "the list of a group must be a tree", f"{mark!r}")

    def _numbers(
        self, messages: dict[int, bytes], attributes: dict[str, str], name: str
    ) -> Numbers:
        layout = messages[_LAYOUT]
        version, storage = struct.unpack_from("<2B", layout)
        if version != 3 or storage != 1:
            raise self._refuse(
                name, "an array must be in one piece, not compressed", f"layout {storage}"
            )
        address, length = struct.unpack_from("<2Q", layout, 2)
        shape, dtype = dataspace(messages[_SPACE]), datatype(messages[_TYPE])
        bfloat16 = dtype == np.dtype("V2") and attributes.get("dtype") == "bfloat16"
        if shape is None or dtype is None or (dtype.kind == "V" and not bfloat16):
            raise self._refuse(
                name, "an array must be of floats or whole numbers", "something else"
            )
        if len(shape) > 32:
            raise self._refuse(name, "an array must have at most 32 axes", f"{len(shape)}")
        dtype = np.dtype("<u2") if bfloat16 else dtype
        found = Numbers(shape, dtype, bfloat16, address, self.data)
        if found.places * 16 >= 2**63:
            raise self._refuse(name, "a shape must be one that memory can hold", f"{shape}")
        if found.nbytes and (found.nbytes != length or address + length > len(self.data)):
            raise self._refuse(
                name, "an array must be in the file", f"{shape} in {length:,} bytes at {address:,}"
            )
        self.size += found.nbytes * (2 if bfloat16 else 1)
        if self.size > MOST_EXPANSION * len(self.data):
            raise self._refuse(
                name, f"arrays must be at most {MOST_EXPANSION} times the file", "more"
            )
        return found

    def _heap_string(self, size: int, collection: int, index: int) -> bytes:
        """A string of variable length, which is in a global heap."""
        mark, whole = self._at("<4s4xQ", collection)
        if mark != b"GCOL":
            raise self._refuse("", "a string must be in a heap", f"{mark!r}")
        at, end = collection + 16, collection + whole
        while at + 16 <= end:
            self._spend(1)
            number, length = self._at("<H6xQ", at)
            if number == index and size <= length:
                self._spend(size // _UNIT)
                return self._bytes(at + 16, size)
            if number == 0:
                break
            at += 16 + -(-length // 8) * 8
        raise self._refuse("", "a string must be in its heap", f"no number {index}")

    def _at(self, layout: str, address: int) -> tuple[Any, ...]:
        return struct.unpack(layout, self._bytes(address, struct.calcsize(layout)))

    def _bytes(self, address: int, size: int) -> bytes:
        if address + size > len(self.data):
            raise self._refuse("", f"the file must have {size:,} bytes at {address:,}", "fewer")
        return bytes(self.data[address : address + size])

    def _reach(self, address: int, name: str) -> None:
        if address in self.reached:
            raise self._refuse(name, "everything must be reached in one way", "another one")
        self.reached.add(address)

    def _spend(self, units: int) -> None:
        self.budget -= units
        if self.budget < 0:
            raise self._refuse("", "groups and names must be in proportion to the file", "more")

    def _refuse(self, name: str, rule: str, received: str) -> FileFormatError:
        place = f" at {name[:200]}" if name else ""
        return FileFormatError(
            f"{self.path}: {rule}; got {received:.200}{place}; save it anew with model.save_weights"
        )
