"""The members of a zip file, as views of the file in memory."""

from __future__ import annotations

import mmap
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from unified_blocks.errors import FileFormatError

MOST_EXPANSION = 10
"""The content of a file may take at most this many times its size."""

MOST_MEMBERS = 200_000
STORED, DEFLATED = 0, 8
DAMAGED = "fetch or save it again"
_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")


def mapped(path: Path) -> memoryview:
    """The bytes of a file, mapped into memory; what is written to them does not reach the file.

    Raises:
        FileFormatError: when it is empty.
    """
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            raise FileFormatError(
                f"{path}: a file of numbers must not be empty; got 0 bytes; {DAMAGED}"
            )
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))


@dataclass(frozen=True, slots=True)
class Member:
    """A member: the place of its header, its compression, its two sizes, and its CRC."""

    header: int
    flags: int
    method: int
    packed: int
    size: int
    crc: int


class Archive:
    """The members of a zip file by name.

    Raises:
        FileFormatError: when the file is not a zip file, is damaged, has two members of one name,
            or would grow beyond `MOST_EXPANSION` times its size.
    """

    def __init__(self, path: Path, data: memoryview) -> None:
        self.path, self.data = path, data
        self._intact: set[str] = set()
        try:
            self.members = self._members()
        except (struct.error, UnicodeDecodeError) as error:
            raise self._damaged(f"the list of its members ends early ({error})") from error
        total = sum(member.size for member in self.members.values())
        if total > MOST_EXPANSION * len(data):
            raise FileFormatError(
                f"{path}: a zip file must hold at most {MOST_EXPANSION} times its own size; "
                f"got {total:,} bytes in {len(data):,}; pack it again without compression"
            )

    def verify(self, name: str) -> None:
        """Compare an uncompressed member with its CRC, once: that reads all of it.

        A deflated one is compared whenever it is read.

        Raises:
            FileFormatError: when the CRC differs.
        """
        if self.members[name].method == STORED and name not in self._intact:
            self._compare(name, self.read(name))
            self._intact.add(name)

    def read(self, name: str) -> memoryview:
        """The content of a member: a view of the file when it is stored uncompressed."""
        member, packed = self.members[name], self._packed(name)
        if member.method == DEFLATED:
            return self._compare(name, self._inflate(name, packed, member.size))
        if member.packed != member.size:
            raise self._damaged(f"{name} is uncompressed, but its packed and unpacked sizes differ")
        return packed

    def head(self, name: str, size: int) -> bytes:
        """The first `size` bytes of a member, or all if it has fewer, without checking the CRC."""
        packed = self._packed(name)
        if self.members[name].method == STORED:
            return bytes(packed[:size])
        # What is not inflated is copied, so give it no more than may be needed.
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            return stream.decompress(packed[: 2 * size + 1024], size)
        except zlib.error as error:
            raise self._damaged(f"{name} cannot be inflated ({error})") from error

    def _packed(self, name: str) -> memoryview:
        member = self.members[name]
        if member.flags & 0x1 or member.method not in (STORED, DEFLATED):
            raise FileFormatError(
                f"{self.path}: a member must be stored or deflated, and not encrypted; got {name} "
                f"with method {member.method} and flags {member.flags:#x}; pack it again"
            )
        packed = self.data[self._start(name, member) :][: member.packed]
        if len(packed) < member.packed:
            raise self._damaged(f"{name} ends beyond the end of the file")
        return packed

    def _compare(self, name: str, content: memoryview) -> memoryview:
        # Zero stands for no CRC: PyTorch writes it after `set_crc32_options(False)`.
        if zlib.crc32(content) != (expected := self.members[name].crc) and expected:
            raise self._damaged(f"{name} does not have the checksum in the list of members")
        return content

    def _inflate(self, name: str, packed: memoryview, size: int) -> memoryview:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = stream.decompress(packed, size + 1)  # one more than announced, to notice it
        except zlib.error as error:
            raise self._damaged(f"{name} cannot be inflated ({error})") from error
        if len(content) != size or not stream.eof:
            raise self._damaged(f"{name} does not inflate to the {size:,} bytes it announces")
        return memoryview(content)

    def _start(self, name: str, member: Member) -> int:
        if member.header + _LOCAL.size > len(self.data):
            raise self._damaged(f"{name} begins beyond the end of the file")
        mark, *_, length, extra = _LOCAL.unpack_from(self.data, member.header)
        start = member.header + _LOCAL.size
        if mark != b"PK\3\4" or self.data[start : start + length] != name.encode():
            raise self._damaged(f"there is no header of {name} at its place")
        return start + int(length) + int(extra)

    def _members(self) -> dict[str, Member]:
        count, size, position = self._list()
        if count > MOST_MEMBERS or count * _ENTRY.size > size:
            raise self._damaged(f"{count:,} members in {size:,} bytes, of at most {MOST_MEMBERS:,}")
        entries = self.data[position : position + size]
        members: dict[str, Member] = {}
        at = 0
        for _ in range(count):
            mark, _, _, flags, method, _, _, crc, *sizes = _ENTRY.unpack_from(entries, at)
            packed, full, name_length, extra_length, comment, _, _, _, header = sizes
            if mark != b"PK\1\2":
                raise self._damaged("an entry of its list of members lacks its mark")
            name_end = at + _ENTRY.size + name_length
            name = bytes(entries[at + _ENTRY.size : name_end]).decode("utf-8")
            extra = bytes(entries[name_end : name_end + extra_length])
            full, packed, header = _wide(extra, [full, packed, header])
            if name in members:
                raise self._damaged(f"two members are called {name}")
            members[name] = Member(header, flags, method, packed, full, crc)
            at = name_end + extra_length + comment
        return members

    def _list(self) -> tuple[int, int, int]:
        """How many members the list at the end of the file has, its size, and where it is."""
        tail = max(0, len(self.data) - _END.size - 0xFFFF)
        end = tail + bytes(self.data[tail:]).rfind(b"PK\5\6")
        if end < tail:
            raise self._damaged("it has no list of members")
        _, _, _, _, count, size, position, _ = _END.unpack_from(self.data, end)
        if count == 0xFFFF or 0xFFFFFFFF in (size, position):
            if end < _LOCATOR.size:
                raise self._damaged("it has no list of members")
            mark, _, wide, _ = _LOCATOR.unpack_from(self.data, end - _LOCATOR.size)
            if mark != b"PK\6\7" or wide > end - _LOCATOR.size:
                raise self._damaged("its list of members in 64 bits is missing")
            mark, *_, count, size, position = _END_64.unpack_from(self.data, wide)
            if mark != b"PK\6\6":
                raise self._damaged("its list of members in 64 bits lacks its mark")
        if position + size > end:
            raise self._damaged("its list of members is not at its place")
        return count, size, position

    def _damaged(self, found: str) -> FileFormatError:
        return FileFormatError(
            f"{self.path}: a zip file must be whole; got one where {found}; {DAMAGED}"
        )


def _wide(extra: bytes, numbers: list[int]) -> list[int]:
    """`numbers`, with those that overflow 32 bits taken from the field of 64 bits."""
    at = 0
    while 0xFFFFFFFF in numbers and at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            wide = iter(struct.unpack_from(f"<{length // 8}Q", extra, at + 4))
            return [next(wide, n) if n == 0xFFFFFFFF else n for n in numbers]
        at += 4 + length
    return numbers
