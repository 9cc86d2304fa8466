"""A batch: `(x, y, w)`, inputs, targets or None, and weights of the samples `(n,)` or None.

`x` and `y` are tensors, or tuples, lists and dicts of them, nested as one likes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from inspect import signature
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


def first_of(structure: Any) -> Any:
    """The first tensor of a structure."""
    return structure if hasattr(structure, "shape") else next(tensors_in(structure))


def mapper_of(data: tuple[Any, ...]) -> Callable[..., Any]:
    """`mapped`, for many structures like `data`: faster when it is a flat tuple."""
    if any(isinstance(part, (tuple, list, dict)) for part in data):
        return mapped
    return lambda function, flat: [None if part is None else function(part) for part in flat]


class Layout:
    """A structure without its tensors: what it takes to make it again of them. It can be a key."""

    def __init__(self, structure: Any) -> None:
        self.skeleton = mapped(lambda _: 0, structure)
        self.key = repr(self.skeleton)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def of(self, tensors: Iterable[Any]) -> Any:
        """The structure of these tensors, which are in the order of `tensors_in`."""
        following = iter(tensors)
        return mapped(lambda _: next(following), self.skeleton)


def applied(call: Callable[..., Any], x: Any, **options: Any) -> Any:
    """`call(x)` of a tensor, `call(*x)` of a tuple or list of them, `call(**x)` of a dict."""
    if isinstance(x, (tuple, list)):
        return call(*x, **options)
    if isinstance(x, dict):
        return call(**x, **options)
    return call(x, **options)


def check_names(net: Any, forward: Callable[..., Any], inputs: dict[str, Any]) -> None:
    """Check that inputs by name have the names of what computes the output of `net`.

    Raises:
        TypeError: for a name that is unknown, or an input that is missing.
    """
    try:
        signature(forward).bind(**inputs)
    except TypeError as error:
        known = ", ".join(signature(forward).parameters)
        raise TypeError(
            f"a dict of inputs of a {type(net).__name__} must have the names of its forward, "
            f"{known}; got {', '.join(inputs)}: rename them, or give a tuple"
        ) from error


def unpacked(batch: Any) -> Batch:
    """What a loader gives, as `(x, y, w)`.

    A tuple or list of two or three is `(x, y)` or `(x, y, sample_weight)`; of one, and all else, it
    is the inputs.
    """
    if isinstance(batch, (tuple, list)) and 1 <= len(batch) <= 3:
        x, y, w = (*batch, None, None)[:3]
        return x, y, w
    return batch, None, None


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
        return len(first_of(x))
    return float(np.sum(to_numpy(w), dtype="float64"))
