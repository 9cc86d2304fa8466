"""`save` and `load`: a block in one file, whatever framework it is on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unified_blocks.backend.registry import get_backend
from unified_blocks.backend.tensors import backend_of
from unified_blocks.block import Block
from unified_blocks.errors import FileFormatError, UnsupportedError
from unified_blocks.files.configuration import block_from, configuration_of
from unified_blocks.formats import safetensors
from unified_blocks.formats.stored import StateFile
from unified_blocks.models.loading import load_stored
from unified_blocks.models.variables import stored_of
from unified_blocks.version import __version__

VERSION = 1
"""The version of the format, which `docs/checkpoint-format.md` describes."""
OTHERS = (".pt", ".pth", ".params", ".h5", ".keras", ".npz", ".npy")


def save(net: Block, path: str | os.PathLike[str]) -> None:
    """Write a block to a file: the arguments that it was made with, and all its numbers.

    The file is a safetensors file, the same for every framework, and `ub.load` makes the block from
    it on any of them. At every moment there is the old file or the new one, never half of one. One
    array at a time is copied.

    Args:
        net: a built block of this library. (Of a native model `ub.state` gives the numbers.)
        path: the file, `"net.safetensors"`; one that exists is replaced. An ending of another
            format is an error.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        UnsupportedError: for a native model, or a block made with something that a file cannot
            hold: a function, an array, a native layer.
        OSError: when the file cannot be written; the old one is as it was.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        ub.save(net, "net.safetensors")
        ub.read_state("net.safetensors")["out.weight"].shape  # (10, 256)
    """
    if not isinstance(net, Block):
        raise UnsupportedError(
            f"save: a model must be a block of this library, which knows what it was made with; "
            f"got a {type(net).__module__}.{type(net).__qualname__}: keep ub.state(net) instead"
        )
    path = Path(path)
    if path.suffix in OTHERS:
        raise FileFormatError(
            f"save: the name of a checkpoint must not end as a file of another format does; got "
            f"{path.name}: call it {path.with_suffix('.safetensors').name}, or write its numbers "
            "with ub.write_state"
        )
    stored = stored_of(net)
    frozen = [
        v.name for v in backend_of(net).variables(net) if v.role == "parameter" and not v.trainable
    ]
    metadata = {
        "format": VERSION,
        "library": __version__,
        "configuration": configuration_of(net),
        "frozen": frozen,
    }
    safetensors.write(path, stored.values(), metadata)


def load(path: str | os.PathLike[str], backend: str | None = None) -> Any:
    """The block that `ub.save` wrote, on any framework.

    A block class is found by its name among those that were defined; nothing in the file is run
    and nothing is imported because of it. Its constructor gets the arguments in the file.

    Args:
        path: the file.
        backend: the name of a backend; default: the default backend.

    Raises:
        FileFormatError: (a `ValueError`) for a file that is damaged, that a later version wrote, or
            that holds no block: `ub.read_state` opens other files of numbers.
        UnknownBlockError: (a `LookupError`) for a class that was not defined; it says what to
            import.
        StateMismatchError: when the class has changed since.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        ub.save(net, "net.safetensors")
        other = ub.load("net.safetensors", backend="torch")
        ub.diff_state(net, other).equal  # True
    """
    path = Path(path)
    file = _opened(path)
    name = get_backend(backend).name
    largest = max((size for stored in file.tensors.values() for size in stored.shape), default=0)
    net = block_from(file.own.get("configuration"), name, largest)
    load_stored(net, file.tensors, f"load {path}")
    frozen = set(file.own.get("frozen", ()))
    for variable in backend_of(net).variables(net):
        if variable.name in frozen:
            variable.freeze()
    return net


def _opened(path: Path) -> StateFile:
    with path.open("rb") as opened:
        head = opened.read(16)
    if not safetensors.recognises(head, path):
        raise FileFormatError(
            f"{path} must be a file that ub.save wrote; got one of another format: open it with "
            "ub.read_state, and give it to a model with ub.load_state or ub.transfer"
        )
    file = safetensors.read(path)
    check_version(path, file.own)
    if "configuration" not in file.own:
        raise FileFormatError(
            f"{path} must be a file that ub.save wrote; got a safetensors file without a "
            "configuration: give ub.read_state(path) to a model with ub.load_state or ub.transfer"
        )
    return file


def check_version(path: Path, own: Mapping[str, Any]) -> None:
    """Refuse a file that a later version wrote, by the version in its metadata.

    Raises:
        FileFormatError: when it did.
    """
    version = own.get("format", VERSION)
    if type(version) is not int or not 1 <= version <= VERSION:
        raise FileFormatError(
            f"{path} must be of format version {VERSION} or before; got {version!r}, written by "
            f"unified-blocks {own.get('library')}: update unified-blocks"
        )
