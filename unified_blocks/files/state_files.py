"""`read_state` and `write_state`: the numbers in files, in formats of this library and others."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from unified_blocks.errors import UnsupportedError
from unified_blocks.files.checkpoint import check_version
from unified_blocks.formats import format_of, format_to_write
from unified_blocks.formats.stored import StateFile, Stored
from unified_blocks.models.variables import stored_of


def read_state(
    path: str | os.PathLike[str], *, kinds: Mapping[str, str] | None = None, strict: bool = True
) -> StateFile:
    """The arrays in a file, by canonical name and in canonical layout, each read when asked for.

    The first bytes of the file tell its format. No format needs its framework, nothing in a file is
    run, and no size that it claims is believed beyond the length of the file.

    | format | written by |
    |---|---|
    | `.safetensors` | `ub.save`, and others |
    | `.pt`, `.pth` | `torch.save(net.state_dict(), …)`; nothing is unpickled |
    | `.params` | MXNet 1.x: `save_parameters`, `export`, `mx.nd.save`; MXNet 2.0 |
    | `.weights.h5`, `.keras` | Keras 3; needs h5py |

    Args:
        path: the file.
        kinds: the kinds of layers that a file of Keras does not tell, by path:
            `{"blocks/mine": "Dense"}`.
        strict: False leaves out layers of a file of Keras whose kind has no canonical names, an
            LSTM's, or is not told; `.left_out` names them, and a warning.

    Returns:
        A mapping from names to arrays, for `ub.load_state`, `ub.transfer` and `ub.diff_state`.
        The arrays are your own: what you write to them never reaches the file.
        `.tensors` describes each array without reading it, `.own` is the metadata that this library
        wrote, `.metadata` is all other metadata, `.settings` is what the file says of layers beside
        their numbers, such as the epsilon of a norm, and `.ordered` tells whether the arrays are in
        the order of the model's layers.

    Raises:
        FileFormatError: (a `ValueError`) for a file of another format, or one that is damaged.
        OSError: when it cannot be read.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        ub.write_state(net, "net.params")
        file = ub.read_state("net.params")
        other = ub.transfer(file, ub.MLP(256, 10), match="order")
        {name: stored.shape for name, stored in file.tensors.items()}
    """
    file = opened(Path(path), kinds, strict)
    if file.left_out:
        warnings.warn(
            f"read_state: {file.path} is read without {file.what_is_left_out}", stacklevel=2
        )
    return file


def opened(path: Path, kinds: Mapping[str, str] | None, strict: bool) -> StateFile:
    """As `read_state`, without a warning."""
    module = format_of(path)
    known = inspect.signature(module.read).parameters
    if kinds is not None and "kinds" not in known:
        raise UnsupportedError(
            f"{path}: kinds must be given only for files that do not contain them; got some for a "
            f"file of the format {module.NAME}: leave them out"
        )
    options = {"kinds": kinds, "strict": strict} if "kinds" in known else {}
    file: StateFile = module.read(path, **options)
    check_version(path, file.own)
    return file


def write_state(
    state: Any,
    path: str | os.PathLike[str],
    *,
    kinds: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write numbers to a file in the format of its suffix, for another program to read.

    `.safetensors`, `.pt` (a state dict, as `torch.load` reads it), `.params` (as Gluon's
    `load_parameters` does; from a `.params` file with the names it had there, for what loaded that)
    or `.weights.h5` (as Keras' `load_weights` does). An old file is replaced once the new one is
    complete.

    Args:
        state: a state, a file that `read_state` opened, or a built model of any framework.
        path: the file.
        kinds: the kinds of layers that `.weights.h5` needs and `state` does not tell, by path:
            `{"conv": "Conv2D"}`.
        metadata: further metadata for a `.safetensors` file.

    Raises:
        FileFormatError: (a `ValueError`) for a name of another format.
        NotBuiltError: when a parameter of a model does not exist yet.
        UnsupportedError: for an array or a name that the format cannot hold; for kinds of layers
            that are not in the state.
        OSError: when the file cannot be written.

    Example::

        net = ub.build(ub.MLP(256, 10), (2, 20))
        for name in ("net.safetensors", "net.pt", "net.params"):
            ub.write_state(net, name)
            print(name, ub.diff_state(ub.read_state(name), net).equal)
    """
    path = Path(path)
    tensors: Iterable[Stored] = stored_of(state).values()
    for stored in tensors:
        _check_name(stored.name)
    if metadata:
        check_version(path, metadata)  # otherwise no version could read the file
    if kinds:
        tensors = with_kinds(list(tensors), kinds)
    format_to_write(path).write(path, tensors, metadata or {})


def _check_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UnsupportedError(
            f"the name of an array in a file must be valid UTF-8 text; got {name!a}: rename it"
        ) from None


def with_kinds(tensors: list[Stored], kinds: Mapping[str, str]) -> list[Stored]:
    """`tensors` with the kinds of layers that `kinds` gives by path.

    Raises:
        UnsupportedError: for a path of no layer.
    """
    dotted = {path.strip("/").replace("/", "."): kind for path, kind in kinds.items()}
    layers = dict.fromkeys(stored.name.rpartition(".")[0] for stored in tensors)
    if unused := dotted.keys() - layers.keys():
        raise UnsupportedError(
            f"kinds must be those of layers in the state; got one for {', '.join(sorted(unused))}, "
            f"where it has {', '.join(layers)[:200]}: correct or leave out the path"
        )
    return [
        replace(stored, kind=dotted.get(stored.name.rpartition(".")[0], stored.kind))
        for stored in tensors
    ]
