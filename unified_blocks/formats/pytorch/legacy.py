"""The files that PyTorch wrote before version 1.6, and still writes when told not to use zip.

Five pickles: a magic number, the version, the sizes of C's integers, the state dict, and the list
of the storages' keys. Then for each key the number of elements, in 8 bytes, and the elements.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unified_blocks.errors import FileFormatError
from unified_blocks.formats.pytorch.opcodes import REMEDY
from unified_blocks.formats.pytorch.tensors import StateUnpickler
from unified_blocks.formats.zips import DAMAGED

MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
_VERSION = 1001


def read(path: Path, data: memoryview) -> tuple[Any, dict[str, memoryview]]:
    """What the pickle holds, and the bytes of the storages by key."""
    machine = StateUnpickler(path, data, len(data))
    version = machine.load(len(MAGIC))
    system = machine.load(machine.position)
    if (
        version != _VERSION
        or not isinstance(system, dict)
        or system.get("little_endian") is not True
    ):
        raise FileFormatError(
            f"{path}: a file of PyTorch without a zip file must be of version {_VERSION} and "
            f"little-endian; got something else; {REMEDY}"
        )
    state = machine.load(machine.position)
    keys = machine.load(machine.position)
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(machine.storages):
        raise FileFormatError(
            f"{path}: the list of storages must name those of its tensors; got another; {DAMAGED}"
        )
    contents = {}
    position = machine.position
    for key in keys:
        storage = machine.storages[key]
        count = int.from_bytes(data[position : position + 8], "little")
        position += 8
        if count != storage.count or position + storage.nbytes > len(data):
            raise FileFormatError(
                f"{path}: storage {key:.100} must be {storage.nbytes:,} bytes; got {count:,} "
                f"elements, and {max(0, len(data) - position):,} bytes until the end; {DAMAGED}"
            )
        contents[key] = data[position : position + storage.nbytes]
        position += storage.nbytes
    return state, contents
