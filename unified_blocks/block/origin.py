"""The records that this library keeps on a block class and on a block, one each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unified_blocks.backend.registry import load_backend

if TYPE_CHECKING:
    from unified_blocks.backend import Backend
    from unified_blocks.block.arguments import Arguments


@dataclass(frozen=True)
class Native:
    """What a native class is.

    Attributes:
        backend: whose framework it is of.
        block: the block class that it is native to; itself, when it extends a native class.
        is_made: whether it was made from the block class; else somebody wrote it.
    """

    backend: Backend
    block: type[Any]
    is_made: bool

    def __reduce__(self) -> tuple[Any, ...]:
        return _native, (self.backend.name, self.block, self.is_made)


def _native(backend: str, block: type[Any], is_made: bool) -> Native:
    return Native(load_backend(backend), block, is_made)


class Origin:
    """What an instance was made with, and whether it was changed since. It is immutable.

    It is neither a dataclass nor a list, because frameworks look for layers in those.

    Attributes:
        arguments: the constructor's, as given.
        options: of a constructor written by hand: its plain arguments, defaults included.
        changed: the attribute that got another part after the instance was made, if one did.
        assigned: while the constructor runs: attribute, container, and the layers in it then, of
            each container that it assigned.
    """

    __slots__ = ("arguments", "assigned", "changed", "options")

    def __init__(
        self,
        arguments: Arguments,
        options: dict[str, Any] | None = None,
        changed: str | None = None,
        assigned: list[tuple[str, Any, list[Any]]] | None = None,
    ) -> None:
        self.arguments, self.options = arguments, options
        self.changed, self.assigned = changed, assigned


def remember(net: Any, **changes: Any) -> None:
    """Give an instance another origin, with these changes: a copy of the instance keeps its own."""
    old: Origin = net._origin
    kept = {name: getattr(old, name) for name in Origin.__slots__}
    object.__setattr__(net, "_origin", Origin(**{**kept, **changes}))
