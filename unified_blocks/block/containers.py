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
        """Register anew what the attribute holds, unless it was deleted."""
        if hasattr(self.net, self.name):
            setattr(self.net, self.name, getattr(self.net, self.name))


class Tracked:
    """What the kinds of tracked containers have in common.

    A backend may extend them, to keep what they hold elsewhere.
    """

    _kind: Any
    """Which kind of container of Python's it is."""
    _attribute: Attribute | None = None

    def _plain(self) -> Any:
        """A copy that nothing tracks."""
        return self._kind(self)

    def _fill(self, items: Any) -> None:
        """Hold these items in place of the present ones."""
        raise NotImplementedError

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _blank, (type(self),), (self._plain(), self._attribute)

    def __setstate__(self, state: Any) -> None:
        items, self._attribute = state
        self._fill(items)


def _blank(cls: Any) -> Any:
    """An empty container, for unpickling into."""
    return cls.__new__(cls)


class TrackedList(Tracked, list[Any]):
    """A list in an attribute of a block; what is put into it later is registered as well."""

    _kind = list

    def _fill(self, items: list[Any]) -> None:
        list.__setitem__(self, slice(None), items)


class TrackedDict(Tracked, dict[Any, Any]):
    """A dict in an attribute of a block; what is put into it later is registered as well."""

    _kind = dict

    def _fill(self, items: dict[Any, Any]) -> None:
        dict.clear(self)
        dict.update(self, items)


class TrackedOrderedDict(Tracked, OrderedDict[Any, Any]):
    """The same, of an ordered dict."""

    _kind = OrderedDict

    def _fill(self, items: dict[Any, Any]) -> None:
        OrderedDict.clear(self)
        for key, value in items.items():
            OrderedDict.__setitem__(self, key, value)


TRACKED: dict[type[Any], type[Any]] = {
    tracked._kind: tracked for tracked in (TrackedList, TrackedDict, TrackedOrderedDict)
}


def kind_of(container: Any) -> Any:
    """The kind of container of Python's that `container` is, tracked or not."""
    return container._kind if isinstance(container, Tracked) else type(container)


def is_trackable(container: Any) -> bool:
    """Whether layers that are in `container`, or get into it later, are registered."""
    kind = kind_of(container)
    return kind in TRACKED or kind is tuple or (issubclass(kind, tuple) and hasattr(kind, "_make"))


def track(value: Any, attribute: Attribute) -> Any:
    """`value`; a list or dict, and each in it, as one that notifies `attribute` of its changes.

    One that does so already stays the same object, and so does one of a kind that cannot.
    """
    if not isinstance(value, CONTAINERS) or not is_trackable(value):
        return value
    if isinstance(value, dict):
        items: Any = {key: track(item, attribute) for key, item in value.items()}
    else:
        items = [track(item, attribute) for item in value]
    kind = kind_of(value)
    known = value._attribute if isinstance(value, Tracked) else None
    if known is not None and known.net is attribute.net and known.name == attribute.name:
        value._fill(items)  # type: ignore[union-attr]
        return value
    if kind in TRACKED:
        tracked = TRACKED[kind]()
        tracked._attribute = attribute
        tracked._fill(items)
        return tracked
    return tuple(items) if kind is tuple else kind._make(items)


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
        before, after = self._plain(), self._plain()
        result = method(after, *args, **kwargs)
        self._fill(after)
        if self._attribute is not None:
            try:
                self._attribute.changed()
            except Exception:
                self._fill(before)
                raise
        return self if result is after else result

    return change


_OF_DICTS = ("update", "setdefault", "pop", "popitem", "clear")
_CHANGES: dict[type[Tracked], tuple[str, ...]] = {
    TrackedList: (
        *("append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort"),
        *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
    ),
    TrackedDict: (*_OF_DICTS, "__setitem__", "__delitem__", "__ior__"),
    TrackedOrderedDict: (*_OF_DICTS, "move_to_end", "__setitem__", "__delitem__", "__ior__"),
}
for _container, _names in _CHANGES.items():
    for _name in _names:
        setattr(_container, _name, _telling(getattr(_container._kind, _name)))
