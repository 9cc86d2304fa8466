"""Lists and dicts of blocks in an attribute, which is notified when they change.

    self.blocks = []
    self.blocks.append(ub.Dense(3))     # registered as blocks.0

An attribute gets a copy of the list or dict that is assigned to it, as one of these.
"""

from __future__ import annotations

import functools
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

CONTAINERS = (list, tuple, dict, set, frozenset, deque)
"""The kinds of containers that are searched for layers."""


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


class TrackedOrderedDict(OrderedDict[Any, Any]):
    """The same, of an ordered dict."""

    attribute: Attribute | None = None

    def _replace(self, items: dict[Any, Any]) -> None:
        for key in list(self):
            OrderedDict.__delitem__(self, key)
        for key, value in items.items():
            OrderedDict.__setitem__(self, key, value)


TRACKED: dict[type[Any], type[Any]] = {
    list: TrackedList,
    dict: TrackedDict,
    OrderedDict: TrackedOrderedDict,
}
TRACKED |= {tracked: tracked for tracked in TRACKED.values()}


def is_trackable(container: Any) -> bool:
    """Whether layers that are in `container`, or get into it later, are registered."""
    kind = type(container)
    return kind in TRACKED or kind is tuple or (issubclass(kind, tuple) and hasattr(kind, "_make"))


def track(value: Any, attribute: Attribute) -> Any:
    """`value`; a list or dict, and each in it, as one that notifies `attribute` of its changes.

    One that does so already stays the same object, and so does one of a kind that cannot.
    """
    if not isinstance(value, CONTAINERS) or not is_trackable(value):
        return value
    if isinstance(value, tuple):
        items: Any = [track(item, attribute) for item in value]
        return tuple(items) if type(value) is tuple else type(value)._make(items)  # type: ignore[attr-defined]
    if isinstance(value, dict):
        items = {key: track(item, attribute) for key, item in value.items()}
    else:
        items = [track(item, attribute) for item in value]
    known: Attribute | None = getattr(value, "attribute", None)
    tracked: Any = value
    if known is None or known.net is not attribute.net or known.name != attribute.name:
        tracked = TRACKED[type(value)]()
        tracked.attribute = attribute
    tracked._replace(items)
    return tracked


def items_of(container: Any) -> Iterator[tuple[str, Any]]:
    """Each item of a container, with the name that it gets there."""
    pairs = container.items() if isinstance(container, dict) else enumerate(container)
    return ((str(key), item) for key, item in pairs)


def inside(value: Any, kind: type[Any]) -> Iterator[Any]:
    """The instances of `kind` that `value` is or holds, in containers of any depth."""
    if isinstance(value, CONTAINERS):
        for _, item in items_of(value):
            yield from inside(item, kind)
    elif isinstance(value, kind):
        yield value


def _telling(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that changes a container and notifies its attribute; undone when that refuses."""

    @functools.wraps(method)
    def change(self: Any, *args: Any, **kwargs: Any) -> Any:
        attribute = self.attribute
        if attribute is None:  # the container is being unpickled, or changed by another method
            return method(self, *args, **kwargs)
        before = (list if issubclass(type(self), list) else dict)(self)
        try:
            self.attribute = None
            try:
                result = method(self, *args, **kwargs)
            finally:
                self.attribute = attribute
            attribute.changed()
        except Exception:
            self._replace(before)
            raise
        return result

    return change


_OF_DICTS = ("update", "setdefault", "pop", "popitem", "clear")
_CHANGES: dict[type[Any], tuple[str, ...]] = {
    TrackedList: (
        *("append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort"),
        *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
    ),
    TrackedDict: (*_OF_DICTS, "__setitem__", "__delitem__", "__ior__"),
    TrackedOrderedDict: (*_OF_DICTS, "move_to_end", "__setitem__", "__delitem__", "__ior__"),
}
for _container, _names in _CHANGES.items():
    for _name in _names:
        setattr(_container, _name, _telling(getattr(_container, _name)))
