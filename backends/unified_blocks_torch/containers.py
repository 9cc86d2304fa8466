"""Lists, tuples and dicts that hold modules: each is an `nn.Module` too, as `nn.ModuleList` is.

PyTorch's tools follow the names of parameters by `getattr`, from module to module, and put other
modules in their places. So what an attribute holds is one object: a list, and the module whose
modules are those in the list. The modules are kept as every module keeps them, in `_modules`, and
nowhere else. Whatever a tool puts there is in the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from torch import nn

from unified_blocks.block.containers import (
    CONTAINERS,
    TRACKED,
    Attribute,
    Tracked,
    TrackedDict,
    TrackedList,
    TrackedOrderedDict,
    is_trackable,
    kind_of,
)
from unified_blocks_torch.quantization import become_own


class MODULE:
    """Stands for an item that is a module: `_modules` has it, under the name of its key."""


class Holder(nn.Module):
    """What the containers of modules have in common.

    The list, tuple or dict of Python's that each extends is empty.
    """

    _attribute: Attribute | None = None
    _items: Mapping[Any, Any] = {}  # by index or key; never changed in place
    _only_modules = True  # and each is under its key

    def _become_module(self, items: Any, attribute: Attribute | None) -> None:
        # nn.Module.__init__, once torch.compile was used, takes a weak reference, and a tuple has
        # none.
        vars(self).update(vars(nn.Module()), _attribute=attribute)
        self._fill(items)

    def _fill(self, items: Any) -> None:
        pairs = dict(items if isinstance(items, dict) else enumerate(items))
        modules = {str(key): item for key, item in pairs.items() if isinstance(item, nn.Module)}
        before = [str(key) for key, item in self._items.items() if item is MODULE]
        if before != list(modules):  # else a tool that goes through them may change them
            for name in before:
                self._modules.pop(name, None)
        self._modules.update(modules)
        self._keep({k: MODULE if str(k) in modules else item for k, item in pairs.items()})

    def _keep(self, items: Mapping[Any, Any]) -> None:
        keys = list(items) if isinstance(self, dict) else [str(index) for index in items]
        only_modules = list(self._modules) == keys
        vars(self).update(_items=items, _only_modules=only_modules)

    def _values(self) -> Iterable[Any]:
        modules = self._modules
        if self._only_modules:
            return modules.values()
        return [modules[str(key)] if item is MODULE else item for key, item in self._items.items()]

    def _plain(self) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._items)

    def _get_name(self) -> str:
        return str(kind_of(self).__name__)

    def extra_repr(self) -> str:
        others = [(key, item) for key, item in self._items.items() if item is not MODULE]
        return "\n".join(f"({key}): {item!r}" for key, item in others)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "qconfig" and become_own(self, value) and self._attribute is not None:
            self._attribute.changed()
        nn.Module.__setattr__(self, name, value)
        if isinstance(value, nn.Module):
            self._take(name)

    def add_module(self, name: str, module: nn.Module | None) -> None:
        nn.Module.add_module(self, name, module)
        self._take(name)

    def _take(self, name: str) -> None:
        """Have the module that was registered under `name` for an item, if that can be one's."""
        key = next((key for key in self._items if str(key) == name), self._new_key(name))
        self._keep(self._items if key is None else {**self._items, key: MODULE})
        if self._attribute is not None:
            self._attribute.changed()

    def _new_key(self, name: str) -> Any:
        raise NotImplementedError

    def __delattr__(self, name: str) -> None:
        key = next((key for key, item in self._items.items() if str(key) == name), None)
        if key is None:
            nn.Module.__delattr__(self, name)
        else:
            me: Any = self
            del me[key]  # of a tuple: an error

    def _replicate_for_data_parallel(self) -> Any:
        replica = super()._replicate_for_data_parallel()
        vars(replica).update(_attribute=None)
        return replica

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return blank, (kind_of(self),), {**vars(self), "_modules": {**self._modules}}

    def __setstate__(self, state: Any) -> None:
        vars(self).update(vars(nn.Module()), **state)


class Row(Holder):
    """A list or tuple of modules."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values())

    def __getitem__(self, index: Any) -> Any:
        return self._plain()[index]

    def __radd__(self, other: Any) -> Any:
        return other + self._plain()

    def _plain(self) -> Any:
        return (tuple if isinstance(self, tuple) else list)(self._values())

    def _new_key(self, name: str) -> Any:
        return len(self) if name == str(len(self)) else None


class Table(Holder):
    """A dict of modules."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __contains__(self, key: Any) -> bool:
        return key in self._items

    def __getitem__(self, key: Any) -> Any:
        item = self._items[key]
        return self._modules[str(key)] if item is MODULE else item

    def keys(self) -> Any:
        return self._items.keys()

    def values(self) -> Any:
        return self._modules.values() if self._only_modules else self._plain().values()

    def items(self) -> Any:
        return self._modules.items() if self._only_modules else self._plain().items()

    def _plain(self) -> Any:
        return kind_of(self)(zip(self._items, self._values(), strict=True))

    def _new_key(self, name: str) -> Any:
        return name


class BlockList(Row, TrackedList):
    """A list that holds modules."""


class BlockTuple(Row, Tracked, tuple[Any, ...]):
    """A tuple that holds modules."""

    _kind = tuple

    def __new__(cls, *items: Any) -> Any:
        return tuple.__new__(cls)


class BlockDict(Table, TrackedDict):
    """A dict that holds modules."""


class BlockOrderedDict(Table, TrackedOrderedDict):
    """An ordered dict that holds modules."""


def reading(name: str) -> Callable[..., Any]:
    """The method `name` of the plain container."""

    def read(self: Any, *args: Any, **kwargs: Any) -> Any:
        args = tuple(x._plain() if isinstance(x, Holder) else x for x in args)
        return getattr(self._plain(), name)(*args, **kwargs)

    read.__name__ = name
    return read


OF_ALL = ("__eq__", "__ne__", "__reversed__")
OF_SEQUENCES = (
    *("__contains__", "__lt__", "__le__", "__gt__", "__ge__"),
    *("__add__", "__mul__", "__rmul__", "count", "index"),
)
READING: dict[type[Holder], tuple[str, ...]] = {
    Row: (*OF_ALL, *OF_SEQUENCES),
    BlockList: ("copy",),
    Table: (*OF_ALL, "__or__", "__ror__", "get", "copy"),
}
for _cls, _names in READING.items():
    for _name in _names:
        setattr(_cls, _name, reading(_name))

CLASSES: dict[Any, Any] = {
    cls._kind: cls for cls in (BlockList, BlockTuple, BlockDict, BlockOrderedDict)
}
for _cls in CLASSES.values():
    _cls.__hash__ = object.__hash__  # modules are kept in sets


@cache
def class_of(kind: Any) -> Any:
    """The class of the modules that are containers of this kind, a named tuple's included."""
    if kind in CLASSES:
        return CLASSES[kind]
    fields = {name: field(place) for place, name in enumerate(kind._fields)}
    named = {"_kind": kind, "_make": kind._make, "__module__": kind.__module__, **fields}
    return type(kind.__name__, (BlockTuple, kind), named)


def field(place: int) -> property:
    return property(lambda self: self._plain()[place])


def blank(kind: Any) -> Any:
    """A module of the class for that kind, for unpickling into."""
    cls = class_of(kind)
    return cls.__new__(cls)


def as_module(container: Any, attribute: Attribute) -> Any:
    """`container`, tracked for that attribute: from now on a module, if it holds any.

    Raises:
        AttributeError: for a key or field with a name that the module uses itself.
    """
    if not is_trackable(container):
        return container
    items: Any
    if isinstance(container, dict):
        items = {key: within(item, attribute) for key, item in container.items()}
        values: Any = items.values()
        names = [key for key, item in items.items() if isinstance(item, nn.Module)]
    else:
        items = values = [within(item, attribute) for item in container]
        names = list(getattr(kind_of(container), "_fields", ()))
    if not any(isinstance(item, nn.Module) for item in values):
        return container
    kind = kind_of(container)
    base = CLASSES.get(kind, Holder)  # a field of a named tuple may be called `count`
    for name in map(str, names):
        if hasattr(base, name) or name in vars(nn.Module()):
            raise AttributeError(
                f"{type(attribute.net).__name__} on PyTorch: a part must have a name that "
                f"{kind.__name__} and nn.Module do not use themselves; got {name!r} in "
                f"{attribute.name}: choose another"
            )
    if isinstance(container, Holder):
        container._fill(items)
        return container
    if kind in TRACKED:
        container._fill(kind())
        container.__class__ = class_of(kind)
    else:
        container = blank(kind)
    container._become_module(items, attribute)
    return container


def within(item: Any, attribute: Attribute) -> Any:
    """An item of a container: itself, or as a module if it is a container of modules."""
    return as_module(item, attribute) if isinstance(item, CONTAINERS) else item
