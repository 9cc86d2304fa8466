"""What a model gave, whatever it is nested in, as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unified_blocks.backend import Backend
from unified_blocks.backend.tensors import numbers_of
from unified_blocks.types import Array


def in_numpy(backend: Backend, value: Any) -> tuple[list[Array], list[str]]:
    """The tensors in `value` as arrays, and their dtypes; bfloat16 is widened to float32."""
    tensors = [item for item in leaves(value) if backend.is_tensor(item)]
    pairs = [numbers_of(backend, tensor) for tensor in tensors]
    return [array for array, _ in pairs], [dtype for _, dtype in pairs]


def leaves(value: Any) -> Iterator[Any]:
    """What is in tuples, lists and dicts, whatever is in those."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value
