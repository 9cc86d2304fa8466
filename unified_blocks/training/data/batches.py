"""A batch: `(x, y, w)`, inputs, targets or None, and weights of the samples `(n,)` or None.

`x` and `y` are tensors, or tuples, lists and dicts of them, nested as one likes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from unified_blocks.backend import Batch as Batch
from unified_blocks.backend.tensors import to_numpy


def mapped(function: Callable[[Any], Any], structure: Any) -> Any:
    """`function` of each tensor of a structure, in a structure of the same kind; None stays.

    The structures are tuples (named ones too), lists and dicts; all else is a tensor.
    """
    if structure is None:
        return None
    if isinstance(structure, dict):
        return type(structure)((name, mapped(function, part)) for name, part in structure.items())
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(mapped(function, part) for part in structure))
    if isinstance(structure, (tuple, list)):
        return type(structure)(mapped(function, part) for part in structure)
    return function(structure)


def tensors_in(structure: Any) -> Iterator[Any]:
    """The tensors of a structure, in order."""
    if isinstance(structure, dict):
        structure = tuple(structure.values())
    if isinstance(structure, (tuple, list)):
        for part in structure:
            yield from tensors_in(part)
    elif structure is not None:
        yield structure


def mass(batch: Batch) -> float:
    """What a batch counts in a mean: how many samples it has or, with weights, their sum.

    Weights that are a tensor are read, which waits for the device.
    """
    x, _, w = batch
    if w is None:
        return len(next(tensors_in(x)))
    return float(np.sum(to_numpy(w), dtype="float64"))
