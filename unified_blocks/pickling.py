"""Pickling of native instances: by block class, since no module holds a class made for it."""

from __future__ import annotations

from typing import Any

from unified_blocks.block import Block


def reduce_by_block(net: Any, protocol: Any) -> tuple[Any, ...]:
    """What `__reduce_ex__` returns for an instance whose state is its `__dict__`."""
    _, _, *state = tuple(object.__reduce_ex__(net, protocol))
    return (blank, (net._portable, net._block_backend.name), *state)


def blank(portable: type[Block], backend: str) -> Any:
    """An instance whose `__init__` has not run, for unpickling into."""
    native = portable.on(backend)
    return native.__new__(native)
