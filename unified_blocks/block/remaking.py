"""A block made again, on any framework, from the arguments that it was made with."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from unified_blocks.backend.registry import owner_of
from unified_blocks.backend.tensors import backend_of
from unified_blocks.block.block import Block, arguments_of, portable_class
from unified_blocks.block.containers import inside, kind_of
from unified_blocks.errors import StateMismatchError, UnsupportedError
from unified_blocks.layouts import Layout


def remake(net: Block, backend: str, layout: Layout | None = None) -> Any:
    """A block of another framework, made with the arguments of `net`; its numbers are new.

    Args:
        net: a block.
        backend: the name of the framework's backend.
        layout: of images, in place of that of `net` and of the blocks inside it.

    Raises:
        StateMismatchError: when the block was changed by hand after it was made.
        UnsupportedError: when an argument belongs to the framework of `net`.
        TypeError: when a block has no native class there.
    """
    check_unchanged(net)
    made: dict[int, Any] = {}

    def again(value: Any) -> Any:
        if isinstance(value, Block):
            if id(value) not in made:
                native = portable_class(type(value)).on(backend)
                arguments = arguments_of(value).map(again)
                if layout is not None:
                    arguments = arguments.with_layout(layout)
                made[id(value)] = arguments.make(native)
            return made[id(value)]
        kind = kind_of(value)
        if kind in (list, tuple):
            return kind(again(item) for item in value)
        if kind in (dict, OrderedDict):
            return kind((key, again(item)) for key, item in value.items())
        if owner_of(value) is not None or any(isinstance(v, Block) for v in held_by(value)):
            raise UnsupportedError(
                f"{type(net).__name__}: to be made again a block must be made of blocks of this "
                "library, plain values, and lists, tuples and dicts of them; got an argument of "
                f"type {type(value).__module__}.{type(value).__qualname__}: make the other model "
                "by hand and use ub.transfer"
            )
        return value

    return again(net)


def held_by(value: Any) -> Iterable[Any]:
    """The content of an argument of unknown kind, as far as it is visible."""
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, Set | Sequence) and not isinstance(value, str | bytes):
        return value
    return getattr(value, "__dict__", {}).values()


def check_unchanged(net: Block) -> None:
    """Refuse a block that holds other parts than its constructor made.

    A container that takes blocks one by one knows its own arguments, wherever it is an argument
    itself.

    Raises:
        StateMismatchError: for a block that got a part after it was made.
    """
    told = {id(net): net}
    unvisited = [net]
    while unvisited:
        arguments = arguments_of(unvisited.pop())
        for value in (*arguments.positional, *arguments.keywords.values()):
            for block in inside(value, Block):
                if id(block) not in told:
                    told[id(block)] = block
                    unvisited.append(block)
    for _, layer in backend_of(net).layers(net):
        name = layer._origin.changed if isinstance(layer, Block) else None
        if name is None:
            continue
        if id(layer) in told and arguments_of(layer) is not layer._origin.arguments:
            continue
        raise StateMismatchError(
            f"{type(net).__name__}: to be made again a block must hold what its constructor made; "
            f"got a {type(layer).__name__} that was given {name} afterwards: do so in the "
            "constructor, or keep ub.state(net) and make the other model by hand"
        )
