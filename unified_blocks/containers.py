"""Lists and dicts of blocks in an attribute, which tell it when they change.

    self.blocks = []
    self.blocks.append(ub.Dense(3))     # registered as blocks.0

Keras' own attributes do this; for the other frameworks these containers do.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Attribute:
    """The attribute of a block that a tracked container is part of."""

    net: Any
    name: str

    def changed(self) -> None:
        """Register anew what the attribute holds."""
        if self.name in vars(self.net):  # else a copy of the block is just being made
            setattr(self.net, self.name, vars(self.net)[self.name])


class TrackedList(list[Any]):
    """A list in an attribute of a block; what is put into it later is registered as well."""

    attribute: Attribute | None = None

    def _replace(self, items: list[Any]) -> None:
        list.__setitem__(self, slice(None), items)


class TrackedDict(dict[Any, Any]):
    """A dict in an attribute of a block; what is put into it later is registered as well."""

    attribute: Attribute | None = None

    def _replace(self, items: dict[Any, Any]) -> None:
        dict.clear(self)
        dict.update(self, items)


def track(value: Any, attribute: Attribute) -> Any:
    """`value`; a list or dict, and each in it, as one that tells `attribute` of its changes.

    One that does so already stays the same object.
    """
    if isinstance(value, tuple):
        return tuple(track(item, attribute) for item in value) if type(value) is tuple else value
    if not isinstance(value, list | dict):
        return value
    if isinstance(value, dict):
        items: Any = {key: track(item, attribute) for key, item in value.items()}
    else:
        items = [track(item, attribute) for item in value]
    known: Attribute | None = getattr(value, "attribute", None)
    tracked: Any = value
    if known is None or known.net is not attribute.net or known.name != attribute.name:
        tracked = TrackedDict() if isinstance(value, dict) else TrackedList()
        tracked.attribute = attribute
    tracked._replace(items)
    return tracked


def _telling(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that changes a container, and tells its attribute; undone when that refuses."""

    @functools.wraps(method)
    def change(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = self.copy()
        result = method(self, *args, **kwargs)
        if self.attribute is not None:  # it is None while the container is unpickled
            try:
                self.attribute.changed()
            except Exception:
                self._replace(before)
                raise
        return result

    return change


_CHANGES: dict[type[Any], tuple[str, ...]] = {
    TrackedList: (
        *("append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort"),
        *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
    ),
    TrackedDict: (
        *("update", "setdefault", "pop", "popitem", "clear"),
        *("__setitem__", "__delitem__", "__ior__"),
    ),
}
for _container, _names in _CHANGES.items():
    for _name in _names:
        setattr(_container, _name, _telling(getattr(_container, _name)))
