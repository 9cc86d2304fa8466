"""PyTorch's own files: the `.pt` and `.pth` that `torch.save(model.state_dict(), path)` writes.

PyTorch is not needed, and nothing is unpickled: `tensors` reads what a state dict needs and refuses
the rest, as `torch.load(weights_only=True)` does. Arrays are views of the file in memory. Names are
those of the state dict; for checkpoints that hold more, see `sorting`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from unified_blocks.dtypes import numpy_dtype
from unified_blocks.errors import FileFormatError
from unified_blocks.formats.pytorch import legacy
from unified_blocks.formats.pytorch.counts import is_count
from unified_blocks.formats.pytorch.opcodes import REMEDY
from unified_blocks.formats.pytorch.sorting import Named, sort_out
from unified_blocks.formats.pytorch.tensors import StateUnpickler
from unified_blocks.formats.pytorch.write import write_archive
from unified_blocks.formats.stored import StateFile, Stored
from unified_blocks.formats.zips import DAMAGED, MOST_EXPANSION, Archive, mapped
from unified_blocks.types import Array

NAME = "torch-state-dict"
SUFFIXES = (".pt", ".pth")
Check = Callable[[], None]


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file that begins with `head` is one of PyTorch's."""
    if head.startswith(b"PK\3\4"):
        name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        return name.endswith(b"/data.pkl") or path.suffix in SUFFIXES
    return head.startswith(legacy.MAGIC)


def read(path: Path) -> StateFile:
    """The tensors in a file of PyTorch.

    Raises:
        FileFormatError: when it is damaged, or holds more than tensors, dictionaries, lists,
            strings and numbers, such as a whole model.
    """
    data = mapped(path)
    swapped = sys.byteorder == "big"
    checks: dict[str, Check] = {}  # empty for files before 1.6, which have no checksums
    if bytes(data[:4]) == b"PK\3\4":
        state, contents, checks, swapped = _read_archive(path, data)
    elif bytes(data[: len(legacy.MAGIC)]) == legacy.MAGIC:
        state, contents = legacy.read(path, data)
    else:
        raise FileFormatError(
            f"{path}: a file of PyTorch must begin as a zip file or with PyTorch's own number; got "
            f"{bytes(data[:8])!r}; {REMEDY}"
        )
    tensors, metadata, own = sort_out(path, state, MOST_EXPANSION * len(data))
    stored = (
        _stored(named, contents[named[1].storage.key], checks.get(named[1].storage.key), swapped)
        for named in tensors
    )
    return StateFile.of(path, NAME, stored, metadata, own=own)


def _stored(named: Named, content: memoryview, check: Check | None, swapped: bool) -> Stored:
    name, tensor, role = named

    def read() -> Array:
        if check is not None:
            check()
        return tensor.view(content, swapped)

    return Stored(
        name,
        tensor.size,
        numpy_dtype(tensor.dtype),
        read,
        role=role,
        stored_dtype=None if numpy_dtype(tensor.dtype) == tensor.dtype else tensor.dtype,
        verify=check,
        optional=is_count(name),
    )


def write(path: Path, tensors: Iterable[Stored], metadata: Mapping[str, Any]) -> None:
    """A new state dict of these arrays, in place of what `path` was.

    `torch.load(path)` gives an `OrderedDict`; the metadata, which must be JSON, is an attribute of
    it that PyTorch ignores.

    Raises:
        UnsupportedError: for a dtype that PyTorch lacks.
    """
    write_archive(path, tensors, metadata)


def _read_archive(
    path: Path, data: memoryview
) -> tuple[Any, dict[str, memoryview], dict[str, Check], bool]:
    """What the pickle of an archive holds, the storages by key, what compares each with its
    checksum, and whether they are of swapped bytes.
    """
    archive = Archive(path, data)
    pickles = [n for n in archive.members if n.endswith("/data.pkl") and n.count("/") == 1]
    if len(pickles) != 1:
        raise FileFormatError(
            f"{path}: a file of PyTorch must have one member data.pkl in its folder; got "
            f"{len(pickles)} of them; {REMEDY}"
        )
    root = pickles[0].removesuffix("data.pkl")
    if any(name.startswith((f"{root}code/", f"{root}constants.pkl")) for name in archive.members):
        raise FileFormatError(
            f"{path}: a file of PyTorch must be a state dict; got a TorchScript program; save "
            "torch.jit.load(path).state_dict() with torch.save"
        )
    archive.verify(pickles[0])
    machine = StateUnpickler(path, archive.read(f"{root}data.pkl"), len(data))
    state = machine.load()
    contents: dict[str, memoryview] = {}
    checks: dict[str, Check] = {}
    for key, storage in machine.storages.items():
        member = f"{root}data/{key}"
        size = archive.members[member].size if member in archive.members else 0
        if size < storage.nbytes or member not in archive.members:
            raise FileFormatError(
                f"{path}: storage {key:.100} must be a member of {storage.nbytes:,} bytes; got "
                f"{size:,}; {DAMAGED}"
            )
        contents[key] = archive.read(member)
        checks[key] = partial(archive.verify, member)
    order = f"{root}byteorder"
    if order in archive.members:
        archive.verify(order)
    written = bytes(archive.read(order)) if order in archive.members else b"little"
    if written not in (b"little", b"big"):
        raise FileFormatError(
            f"{path}: byteorder must be little or big; got {written[:20]!r}; {DAMAGED}"
        )
    return state, contents, checks, written.decode() != sys.byteorder
