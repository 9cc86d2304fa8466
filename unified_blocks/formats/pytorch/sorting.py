"""Which of the things in a checkpoint of PyTorch are the model's tensors.

A state dict is flat: a tensor by its dotted name. A training script often saves it inside a
dictionary, with its optimizer's state and what else it needs. When there is one dictionary called
`state_dict`, `model_state_dict` or `model`, the tensors in it are the model's.
Any others have the role `"optimizer"`, and dotted names from the top: `optimizer.state.0.exp_avg`.
Everything that is not a tensor is metadata, by dotted name: `epoch`, `optimizer.param_groups.0.lr`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from unified_blocks.errors import FileFormatError
from unified_blocks.formats.pytorch.opcodes import MOST_OPERATIONS, REMEDY, Attributed
from unified_blocks.formats.pytorch.tensors import Tensor

WRAPPERS = ("state_dict", "model_state_dict", "model")
ATTRIBUTE = "unified_blocks_metadata"
"""The attribute of an `OrderedDict` that holds the metadata of a file of this library, as JSON."""

_MOST_LEVELS = 50
Named = tuple[str, Tensor, str | None]


def sort_out(
    path: Path, state: Any, most: int
) -> tuple[list[Named], dict[str, Any], dict[str, Any]]:
    """The tensors in `state` with names and roles, the metadata, and the metadata of this library.

    `most` bounds the bytes of all tensors and the length of all metadata: a pickle can hold one
    object many times over, so that a short one can describe very much.
    """
    if not isinstance(state, dict):
        raise FileFormatError(
            f"{path}: a state dict must be a dictionary; got a {type(state).__name__}; {REMEDY}"
        )
    wrappers = [key for key in WRAPPERS if isinstance(state.get(key), dict)]
    wrapper = wrappers[0] if len(wrappers) == 1 else None
    model = state if wrapper is None else state[wrapper]
    around = {} if wrapper is None else {k: v for k, v in state.items() if k != wrapper}
    tensors: list[Named] = []
    metadata: dict[str, Any] = {}
    count = size = length = 0
    for part, is_model in ((model, True), (around, False)):
        for name, value in _leaves(path, part):
            count += 1
            length += len(name) + 1
            if isinstance(value, Tensor):
                size += value.nbytes
                own = "parameter" if value.parameter else None
                tensors.append((name, value, own if is_model else "optimizer"))
            else:
                length += len(value) if isinstance(value, str | list | tuple) else 0
                metadata[name] = value
            if count > MOST_OPERATIONS or max(size, length) > most:
                raise FileFormatError(
                    f"{path}: its content must be at most {most:,} bytes, from the size of the "
                    "file, and not repeat itself; got more; save expanded tensors after "
                    ".contiguous()"
                )
    return tensors, metadata, _own_metadata(path, state)


def _leaves(path: Path, value: Any, name: str = "", level: int = 0) -> Iterator[tuple[str, Any]]:
    """The tensors, and the scalars and lists of scalars, in `value` by dotted name."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list | tuple) and not all(_is_scalar(item) for item in value):
        items = enumerate(value)
    elif not isinstance(value, Tensor | list | tuple) and not _is_scalar(value):
        raise FileFormatError(
            f"{path}: a state dict must hold tensors, strings and numbers; got a "
            f"{type(value).__name__} at {name:.200}; {REMEDY}"
        )
    else:
        yield name, value
    if level > _MOST_LEVELS:
        raise FileFormatError(
            f"{path}: dictionaries and lists must be nested at most {_MOST_LEVELS} deep; got more "
            f"at {name:.200}; {REMEDY}"
        )
    for key, item in items:
        yield from _leaves(path, item, f"{name}.{key}" if level else str(key), level + 1)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _own_metadata(path: Path, state: dict[Any, Any]) -> dict[str, Any]:
    """The metadata of this library, if it wrote the file."""
    text = state.attributes.get(ATTRIBUTE, "{}") if isinstance(state, Attributed) else "{}"
    try:
        metadata = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise FileFormatError(
            f"{path}: {ATTRIBUTE} must be JSON; got {type(error).__name__} ({error}); {REMEDY}"
        ) from error
    if not isinstance(metadata, dict):
        raise FileFormatError(
            f"{path}: {ATTRIBUTE} must be an object; got a {type(metadata).__name__}; {REMEDY}"
        )
    return metadata
