"""What callbacks keep, as JSON and arrays: numbers, strings and arrays, in lists, tuples, dicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from unified_blocks.errors import UnsupportedError
from unified_blocks.types import Array


def packed(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """A value for JSON; the arrays in it go into `arrays`, under names that begin with `name`.

    Raises:
        UnsupportedError: for a value of another kind.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    if isinstance(value, (list, tuple)):
        parts = [packed(part, f"{name}.{i}", arrays) for i, part in enumerate(value)]
        return parts if isinstance(value, list) else {"tuple": parts}
    if isinstance(value, Mapping):
        pairs = [
            [packed(key, f"a key of {name}", {}), packed(part, f"{name}.{i}", arrays)]
            for i, (key, part) in enumerate(value.items())
        ]
        return {"dict": pairs}
    raise UnsupportedError(
        "Checkpoint: what a callback keeps must be numbers, strings and arrays, or lists, tuples "
        f"and dicts of them; got a {type(value).__name__} for {name}: leave it out of its state()"
    )


def unpacked(value: Any, read: Callable[[str], Array]) -> Any:
    """What was packed; `read` gives an array by its name."""
    if isinstance(value, list):
        return [unpacked(part, read) for part in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "array":
        return read(inner)
    if kind == "tuple":
        return tuple(unpacked(part, read) for part in inner)
    return {unpacked(key, read): unpacked(part, read) for key, part in inner}
