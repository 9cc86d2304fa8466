"""Pickling of native instances: by block class, since no module holds the native class."""

from __future__ import annotations

from typing import Any

from unified_blocks.block.block import Block
from unified_blocks.block.native_classes import native_classes


def reduce_by_block(net: Any, protocol: Any) -> tuple[Any, ...]:
    """What `__reduce_ex__` returns for an instance whose state is its `__dict__`."""
    _, _, *state = tuple(object.__reduce_ex__(net, protocol))
    return (blank, native_key(net), *state)


def native_key(net: Any) -> tuple[type[Block], str, bool]:
    """What finds the native class of `net` again: block class, backend, whether made from it."""
    backend, block = net._native.backend, net._native.block
    return block, backend.name, type(net) is not native_classes(backend).get(block)


def blank(block: type[Block], backend: str, portable: bool) -> Any:
    """An instance whose `__init__` has not run, for unpickling into."""
    native = block.on(backend, portable=portable)
    return native.__new__(native)
