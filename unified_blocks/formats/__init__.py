"""Files of numbers that this library or others wrote, read into canonical names and layout.

There is one module for each format. Each has

    NAME        what it is called
    SUFFIXES    the usual endings of such a file, by which the format to write is chosen
    recognises(head, path)              whether a file that begins with these bytes is one
    read(path)                          its arrays, each read when asked for
    write(path, tensors, metadata)      writes a new file with these arrays, if the format has it
    unwritable(tensors)                 the layers that it cannot write, and why, if there are such

Files may be hostile: a reader checks every length, offset and shape against the size of the file,
runs nothing that a file names, and raises `FileFormatError` for any defect.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from unified_blocks.errors import FileFormatError
from unified_blocks.formats import tensorflow

MODULES = ("safetensors", "pytorch.archive", "mxnet.params", "keras.weights")
HEAD = 512


def formats() -> list[Any]:
    """The module of each format."""
    return [importlib.import_module(f"{__name__}.{name}") for name in MODULES]


def format_of(path: Path) -> Any:
    """The module of the format of a file, by its content.

    Raises:
        FileFormatError: when it has none of the formats; of what TensorFlow saves it says how to
            come from there.
        OSError: when it cannot be read.
    """
    tensorflow.refuse(path)
    with path.open("rb") as file:
        head = file.read(HEAD)
    for module in formats():
        if module.recognises(head, path):
            return module
    graph = path.name.endswith("-symbol.json")
    remedy = "; give the numbers of this graph, the .params file beside it" if graph else ""
    raise FileFormatError(
        f"{path} must be a file of one of the formats {', '.join(m.NAME for m in formats())}; got "
        f"one that begins with {head[:16]!r}{remedy}"
    )


def format_to_write(path: Path) -> Any:
    """The module of the format for a new file of that name.

    Raises:
        FileFormatError: when its suffix is not that of a format that can be written.
    """
    endings: dict[str, Any] = {}
    for module in formats():
        if hasattr(module, "write"):
            endings.update(dict.fromkeys(module.SUFFIXES, module))
    for ending, module in endings.items():
        if path.name.endswith(ending):
            return module
    raise FileFormatError(
        f"the name of a file to write must end in one of {', '.join(endings)}; got {path.name}"
    )
