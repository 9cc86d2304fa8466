"""What the configuration in a `.keras` file says about the layers of a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unified_blocks.errors import FileFormatError
from unified_blocks.formats.keras.hdf5 import Group
from unified_blocks.formats.zips import DAMAGED


def parse(path: Path, content: memoryview) -> dict[str, Any]:
    """The configuration of the model.

    Raises:
        FileFormatError: when it is not an object of JSON.
    """
    return _object(path, "config.json", bytes(content))


def own_metadata(path: Path, text: str | None) -> dict[str, Any]:
    """The metadata in a file that this library wrote; empty for another file."""
    return _object(path, "the metadata", text.encode()) if text else {}


@dataclass(frozen=True)
class Place:
    """Where a layer is in a file, and what the configuration says of it.

    Attributes:
        path: the groups that lead to it.
        name: the path of its canonical name.
        count: the same as the live model has it: a Sequential counts its layers.
        order: where it is among the layers of the model, level by level; None if that is not known.
        config: its configuration; of the group `layers`, that of the model which has them.
    """

    path: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    count: tuple[str, ...] = ()
    order: tuple[int, ...] | None = ()
    config: Any = None
    of_layers: bool = False

    def child(self, name: str, inside: Group) -> Place:
        """The place of the group `name` in the group that is here; `inside` is what is in it."""
        path = (*self.path, name)
        wanted = inside.groups.get("vars", Group()).attributes.get("name")
        if self.of_layers:
            layers = _inner(self.config)["layers"]
            found = [i for i, each in enumerate(layers) if _inner(each).get("name") == wanted]
            if wanted is not None and len(found) == 1:
                at = found[0]
                count = at - sum(kind(each) == "InputLayer" for each in layers[:at])
                counted = str(count) if kind(self.config) == "keras.Sequential" else wanted
                order = None if self.order is None else (*self.order, at)
                names, counts = (*self.name, wanted), (*self.count, counted)
                return Place(path, names, counts, order, layers[at])
            return Place(path, (*self.name, "layers", name), (*self.count, "layers", name), None)
        if name == "layers" and isinstance(_inner(self.config).get("layers"), list):
            return replace(self, path=path, of_layers=True)
        inner = _inner(self.config).get(name)
        if kind(self.config) == "Bidirectional" and name in ("forward_layer", "backward_layer"):
            layer = _inner(self.config).get("layer")  # the other way round it is the same
            return Place(path, (*self.name, name), (*self.count, name), None, layer)
        config = inner if wanted is not None and _inner(inner).get("name") == wanted else None
        return Place(path, (*self.name, name), (*self.count, name), None, config)


def kind(config: Any) -> str:
    """The class of a layer; for a layer that is not from Keras, with its package."""
    if not isinstance(config, dict):
        return ""
    name = str(config.get("class_name"))
    return name if config.get("module") == "keras.layers" else f"{config.get('module')}.{name}"


def options(config: Any) -> Mapping[str, Any]:
    """The arguments of a layer, such as `use_bias`."""
    return _inner(config)


def _inner(config: Any) -> Mapping[str, Any]:
    inner = config.get("config") if isinstance(config, dict) else None
    return inner if isinstance(inner, dict) else {}


def _object(path: Path, what: str, content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(
            f"{path}: {what} must be JSON; got {type(error).__name__} ({error!s:.100}); {DAMAGED}"
        ) from error
    if not isinstance(found, dict):
        raise FileFormatError(
            f"{path}: {what} must be an object of JSON; got a {type(found).__name__}; {DAMAGED}"
        )
    return found
