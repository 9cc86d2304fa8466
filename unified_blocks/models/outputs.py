"""What a model gave, whatever it is nested in, as arrays under the names of their places.

A leaf of a dict is called by its key, that of a named tuple or a dataclass by its field, that of a
list or a tuple by its position; lists and tuples in one another are one list, since one framework
gives `(output, (h, c))` where another gives `[output, h, c]`.
"""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from unified_blocks.backend import Backend
from unified_blocks.backend.tensors import numbers_of
from unified_blocks.errors import UnsupportedError
from unified_blocks.types import Array

Place = tuple[Hashable, ...]
"""Keys, fields and positions, from the outside in; `()` of what is in nothing."""


class Field(str):
    """The name of a field of a named tuple or a dataclass, which has a position, too."""

    position: int

    @classmethod
    def at(cls, position: int, name: str) -> Field:
        field = cls(name)
        field.position = position
        return field


@dataclass
class Leaf:
    """One array of an output.

    Attributes:
        array: a copy of its numbers, bfloat16 as float32.
        dtype: in the framework.
        plain: whether it is one of Python's own numbers, which have no dtype.
    """

    place: Place
    array: Array
    dtype: str
    plain: bool = False


def in_numpy(backend: Backend, value: Any) -> tuple[list[Array], list[str]]:
    """The tensors in `value` as arrays, and their dtypes; bfloat16 is widened to float32."""
    found = tensor_leaves(backend, value)
    return [leaf.array for leaf in found], [leaf.dtype for leaf in found]


def leaves_of(backend: Backend, value: Any) -> list[Leaf]:
    """The tensors in an output, and the arrays and numbers of NumPy and Python."""
    found = []
    for place, each in leaves(value):
        item = backend.tensor_of(each)
        if backend.is_tensor(item):
            found.append(Leaf(place, *numbers_of(backend, item)))
        elif isinstance(item, np.ndarray | np.generic | numbers.Number):
            array = np.array(item)
            plain = not isinstance(item, np.ndarray | np.generic)
            found.append(Leaf(place, array, str(array.dtype), plain))
    return found


def tensors_in(backend: Backend, value: Any) -> list[tuple[Place, Any]]:
    """The tensors in `value`, and their places."""
    found = [(place, backend.tensor_of(item)) for place, item in leaves(value)]
    return [(place, item) for place, item in found if backend.is_tensor(item)]


def tensor_leaves(backend: Backend, value: Any) -> list[Leaf]:
    """The tensors in `value` alone, as arrays."""
    found = tensors_in(backend, value)
    return [Leaf(place, *numbers_of(backend, tensor)) for place, tensor in found]


@dataclass
class Output:
    """What a model gave.

    Attributes:
        unread: what in it is no array, and nothing here can look into: ".cache, a Cache".
        is_tensor: whether it is one, and in nothing.
    """

    leaves: list[Leaf]
    unread: list[str]
    is_tensor: bool


def output_of(backend: Backend, value: Any, net: Any) -> Output:
    """What a model gave, as arrays.

    Raises:
        UnsupportedError: when there is no tensor in it: any two models would be alike.
    """
    if not tensors_in(backend, value):
        raise UnsupportedError(
            f"what {type(net).__name__} on {backend.title} gives must hold a tensor, or nothing of "
            f"it can be compared; got a {type(value).__name__}: return the tensors, alone or in "
            "tuples, lists, dicts, named tuples or dataclasses"
        )
    found = leaves_of(backend, value)
    known = {leaf.place for leaf in found}
    return Output(
        found,
        [
            f"{shown(place) or 'it'}, a {type(item).__name__}"
            for place, item in leaves(value)
            if place not in known and not isinstance(item, str | bytes | None)
        ],
        backend.is_tensor(value),
    )


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """What is in tuples, lists, dicts, named tuples and dataclasses, and its place."""
    named = _named(value)
    if named is not None:
        for key, item in named:
            yield from leaves(item, (*place, key))
    elif isinstance(value, list | tuple):
        items = list(_flat(value))
        for i, item in enumerate(items):  # what is alone in a list is as if it were not in one
            yield from leaves(item, place if len(items) == 1 else (*place, i))
    else:
        yield place, value


def _named(value: Any) -> Iterable[tuple[Hashable, Any]] | None:
    """The items of what calls them by names; None of anything else."""
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        names: Sequence[str] = getattr(value, "_fields")  # noqa: B009  # of a named tuple
    elif is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
    else:
        return None
    return [(Field.at(i, name), getattr(value, name, None)) for i, name in enumerate(names)]


def _flat(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, list | tuple) and not hasattr(item, "_fields"):
            yield from _flat(item)
        else:
            yield item


def shown(place: Place) -> str:
    """A place in words, as Python writes it: `".logits"`, `"[0]['start end']"`."""
    return "".join(
        f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]" for key in place
    )


def paired(a: Sequence[Place], b: Sequence[Place]) -> list[tuple[int | None, int | None]]:
    """The leaves of one place, by their numbers in `a` and `b`; None where one lacks it.

    A field of a named tuple is at its position, too, for what knows positions only; the first of
    several is where one that is alone is; and two that are alone are the same, unless both have
    names.
    """
    if len(a) == len(b) == 1 and not all(_has_names(place) for place in (a[0], b[0])):
        return [(0, 0)]
    left = list(range(len(b)))
    found: list[tuple[int | None, int | None]] = []
    for i, place in enumerate(a):
        same = next((j for j in left if _alike(place, b[j])), None)
        if same is not None:
            left.remove(same)
        found.append((i, same))
    return [*found, *((None, j) for j in left)]


def _has_names(place: Place) -> bool:
    return any(isinstance(key, str) for key in place)


def _alike(a: Place, b: Place) -> bool:
    return _equal(a, b) or _equal(_first(a), _first(b))


def _equal(a: Place, b: Place) -> bool:
    return len(a) == len(b) and all(
        x == y or ((_is_position(x) or _is_position(y)) and _position(x) == _position(y))
        for x, y in zip(a, b, strict=True)
    )


def _first(place: Place) -> Place:
    """The place without the positions 0 at its end."""
    while place and place[-1] == 0:
        place = place[:-1]
    return place


def _is_position(key: Hashable) -> bool:
    return isinstance(key, int)


def _position(key: Hashable) -> Hashable:
    return getattr(key, "position", key)
