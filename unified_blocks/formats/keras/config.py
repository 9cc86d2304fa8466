"""What the configuration in a `.keras` file says about the layers of a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
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


def child(config: Any, group: Group, name: str, inside: Group) -> Any:
    """The configuration of the layer in the group `name` of `group`, or None where there is none.

    `config` is that of the layer of `group`, or the list of layers of a Sequential or Functional
    model, when `group` is its `layers`. Layers there are told apart by their names.
    """
    if isinstance(config, list):
        variables = inside.groups.get("vars", Group())
        wanted = variables.attributes.get("name")
        found = [c for c in config if _inner(c).get("name") == wanted is not None]
        return found[0] if len(found) == 1 else None
    layers = _inner(config).get("layers")
    return layers if name == "layers" and isinstance(layers, list) else None


def kind(config: Any) -> str:
    """The class of a layer; for a layer that is not from Keras, with its package."""
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
