"""Weights as Keras saves them: what `weights` reads, written."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from unified_blocks.errors import BackendImportError, UnsupportedError
from unified_blocks.formats.atomic import replacing
from unified_blocks.formats.keras.families import (
    BY_KIND,
    WRITTEN,
    CellFamily,
    Family,
    of_automatic_name,
)
from unified_blocks.formats.keras.recurrent import INSIDE, KIND, in_cells
from unified_blocks.formats.pytorch.counts import NAME as COUNT
from unified_blocks.formats.stored import Stored
from unified_blocks.types import Array

METADATA = "unified_blocks_metadata"
PLACE, CALLED = "unified_blocks_place", "unified_blocks_name"
HELD = "unified_blocks_variables"
"""The kind of a layer, its place among the layers of the model, its name where that is not its
path, and what its variables are called. Keras stores none of them: at best a path tells the kind,
layers are listed alphabetically, and variables are numbered."""

_SLICE = 2**24  # bytes
_MOST_METADATA = 60_000  # bytes: an attribute of HDF5 has less than 64 KiB


def write(path: Path, tensors: Iterable[Stored], metadata: Mapping[str, Any]) -> None:
    """A new `.weights.h5` of these arrays, in place of what `path` was.

    `model.load_weights(path)` reads it into a model whose attributes have these names: a name is
    the path of a layer and `weight`, `bias`, `running_mean` or `running_var`. A layer that was read
    from a file of Keras is written where it was there. What a layer is comes
    from `Stored.kind`. Where that is None, `running_mean` makes a BatchNorm, a weight and a bias of
    one shape a LayerNorm, a matrix with a bias that is as long as it has rows a Dense, and a larger
    weight, `(out, in, …)` or `(in, out, …)`, of which only one can be the bias's, a convolution.

    Raises:
        UnsupportedError: for a name or layer that is none of these; for a matrix alone, which may
            be of a Dense or an Embedding; for a path that Keras' files cannot have.
        BackendImportError: when h5py is not installed.
    """
    layers = [
        placed for layer, held in _by_layer(tensors).items() for placed in _placed(layer, held)
    ]
    text = json.dumps(metadata)
    if len(text.encode()) > _MOST_METADATA:
        raise UnsupportedError(
            f"metadata in a file of Keras must be at most {_MOST_METADATA:,} bytes of JSON; got "
            f"{len(text.encode()):,}; leave some out"
        )
    library = _h5py()
    with replacing(path) as raw, library.File(raw, "w") as file:
        file.attrs[METADATA] = text
        for place in _with_attributes({each.path: each.family for each in layers}):
            _variables(file, place).attrs["name"] = place.rpartition(".")[2] or "model"
        numbers = {layer: i for i, layer in enumerate(dict.fromkeys(each.layer for each in layers))}
        for place, layer, family, held in layers:
            group = _variables(file, place)
            group.attrs["name"] = family.snake
            if place != layer:
                group.attrs[CALLED] = layer
                if isinstance(family, CellFamily):
                    group.attrs[INSIDE] = layer
            group.attrs[KIND], group.attrs[PLACE] = family.kind, str(numbers[layer])
            present = [name for name in family.names if name in held]
            group.attrs[HELD] = " ".join(present)
            for i, name in enumerate(present):
                _write(group, str(i), family.to_keras(name, held[name].read()))


class _Placed(NamedTuple):
    """A layer, or the cell of one, and the group that it is in."""

    path: str
    layer: str
    family: Family
    held: Mapping[str, Stored]


def _placed(layer: str, held: Mapping[str, Stored]) -> list[_Placed]:
    """Where a layer is written, in parts.

    Raises:
        UnsupportedError: as `write`.
    """
    cells = in_cells(layer, held)
    inside = {_path(layer, held.values()): held} if cells is None else cells
    for path in inside:
        _check_path(path)
    found = [_Placed(path, layer, _family(layer, each), each) for path, each in inside.items()]
    for each in found:
        _check_kept(layer, each.path, each.family)
    return found


def unwritable(tensors: Iterable[Stored]) -> dict[str, str]:
    """The layers for which `write` would raise `UnsupportedError`, and why."""
    found = {}
    for layer, held in _by_layer(tensors).items():
        try:
            _placed(layer, held)
        except UnsupportedError as error:
            found[layer] = str(error)
    return found


def _by_layer(tensors: Iterable[Stored]) -> dict[str, dict[str, Stored]]:
    layers: dict[str, dict[str, Stored]] = {}
    for stored in tensors:
        layer, _, name = stored.name.rpartition(".")
        if name != COUNT:
            layers.setdefault(layer, {})[name] = stored
    return layers


def _path(layer: str, held: Iterable[Stored]) -> str:
    """Where a layer is to be in the file, dotted: where it was in a file of Keras, or its name."""
    places = {str(stored.stored_name).rpartition("/vars/")[0] for stored in held}
    return places.pop().replace("/", ".") if len(places) == 1 and "" not in places else layer


def _write(group: Any, name: str, array: Array) -> None:
    """Write an array in slices: h5py copies an array whose axes are in another order."""
    dataset = group.create_dataset(name, array.shape, array.dtype)
    if not array.size:
        return
    if not array.ndim:
        dataset[()] = array
        return
    rows = max(1, _SLICE * len(array) // array.nbytes)
    for start in range(0, len(array), rows):
        dataset[start : start + rows] = array[start : start + rows]


def _check_path(layer: str) -> None:
    """Refuse the path of a layer that could not be read back as the same path.

    Raises:
        UnsupportedError: when it is one.
    """
    parts = layer.split(".") if layer else []
    plain = all(re.fullmatch(r"[ -.0-~]{1,255}", part) and part != "vars" for part in parts)
    if not plain or parts[:1] == ["optimizer"]:
        raise UnsupportedError(
            "the path of a layer in a file of Keras must be names of 1 to 255 ASCII characters "
            "between dots, none with a slash or called vars, the first not optimizer; got "
            f"{layer!r:.200}: rename it, or write another format"
        )


def _check_kept(layer: str, path: str, family: Family) -> None:
    """Refuse what would be written as another layer than it was read as.

    Raises:
        UnsupportedError: for a depthwise or separable convolution.
    """
    was = of_automatic_name(path.rpartition(".")[2])
    if path != layer and was not in (None, family):
        raise UnsupportedError(
            f"a layer in a file of Keras must be a {', '.join(f.kind for f in WRITTEN)}; got "
            f"{layer!r}, which was a {was.keras if was else was} and is a {family.kind} elsewhere: "
            "let Keras write it, model.save_weights, or rename it"
        )


def _h5py() -> Any:
    try:
        return importlib.import_module("h5py")
    except ImportError as error:
        raise BackendImportError(
            f"writing a file of Keras needs h5py, which cannot be imported ({error}); run: "
            'pip install "unified-blocks[keras-files]"',
            name="h5py",
        ) from error


def _variables(file: Any, layer: str) -> Any:
    """The group of the variables of a layer."""
    return file.require_group(f"{layer.replace('.', '/')}/vars")


def _with_attributes(families: Mapping[str, Family]) -> list[str]:
    """The places that are models or layers with attributes, since no list has such names."""
    found = {""}
    for layer, family in families.items():
        parts = layer.split(".")
        if of_automatic_name(parts[-1]) is not family:
            found.add(".".join(parts[:-1]))
    return sorted(found - families.keys())


def _family(layer: str, held: Mapping[str, Stored]) -> Family:
    """What `layer` is.

    Raises:
        UnsupportedError: when that is not certain.
    """
    shapes = {name: stored.shape for name, stored in held.items()}
    kinds = {stored.kind for stored in held.values()} - {None}
    weight, bias = shapes.get("weight", ()), shapes.get("bias")
    if len(kinds) == 1 and BY_KIND.get(str(*kinds)) in WRITTEN:
        family = BY_KIND[str(*kinds)]
    elif not kinds and "running_mean" in held:
        family = BY_KIND["BatchNorm"]
    elif not kinds and len(weight) == 1 and weight == bias:
        family = BY_KIND["LayerNorm"]
    elif not kinds and len(weight) == 2 and bias == weight[:1]:
        family = BY_KIND["Dense"]
    elif not kinds and len(weight) in (3, 4, 5) and bias == weight[:1] != weight[1:2]:
        family = BY_KIND[f"Conv{len(weight) - 2}D"]
    elif not kinds and len(weight) in (3, 4, 5) and bias == weight[1:2] != weight[:1]:
        family = BY_KIND[f"Conv{len(weight) - 2}DTranspose"]
    else:
        raise UnsupportedError(
            f"a layer in a file of Keras must be a {', '.join(f.kind for f in WRITTEN)}; got "
            f"{layer or 'the model itself'!r} with {shapes} of kind "
            f"{', '.join(map(str, kinds)) or 'unknown'}; name it: kinds={{{layer!r}: 'Dense'}}, or "
            f"on the command line --kind {layer}=Dense"
        )
    needed = {n for n, option in zip(family.names, family.options, strict=True) if option is None}
    in_keras = {name: family.keras_shape(name, shape) for name, shape in shapes.items()}
    if not needed <= held.keys() <= set(family.names) or not family.fits(in_keras):
        raise UnsupportedError(
            f"a {family.kind} must have {', '.join(family.names)} of shapes that fit; got "
            f"{layer!r} with {shapes}; rename them, or give another kind"
        )
    return family
