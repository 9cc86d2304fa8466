"""Pickling of native instances, by class.

A class that somebody wrote is found by its own name, as any class is. One that was made is found by
its block class and its backend: so a tool that sends the classes of a program along, as cloudpickle
does, need only send the block class, and it is made anew where the instance is opened.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Key: TypeAlias = tuple[type[Any]] | tuple[type[Any], str]
"""A class that was written; or the block class and the backend of one that was made."""


def reduce_by_block(net: Any, protocol: Any) -> tuple[Any, ...]:
    """What `__reduce_ex__` returns for an instance whose state is its `__dict__`."""
    _, _, *state = tuple(object.__reduce_ex__(net, protocol))
    return (blank, native_key(net), *state)


def native_key(net: Any) -> Key:
    """What finds the native class of `net` again."""
    native = net._native
    return (native.block, native.backend.name) if native.is_made else (type(net),)


def native_of(cls: type[Any], backend: str | None = None) -> Any:
    """The native class that `native_key` told."""
    return cls if backend is None else cls.on(backend, portable=True)


def blank(*key: Any) -> Any:
    """An instance whose `__init__` has not run, for unpickling into."""
    native = native_of(*key)
    return native.__new__(native)
