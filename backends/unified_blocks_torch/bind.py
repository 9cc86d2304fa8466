"""How a block class becomes an `nn.Module`."""

from __future__ import annotations

from contextlib import nullcontext
from types import FunctionType
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from unified_blocks.arguments import checked
from unified_blocks.calls import explain

if TYPE_CHECKING:
    from unified_blocks.block import Block


def bind(native: Any) -> Any:
    """Complete a class that extends a block class and `nn.Module`; see `Backend.bind`."""
    if "__init__" in vars(native):
        native.__init__ = checked(
            native.__init__,
            to_native_dtype=lambda name: getattr(torch, name),
            scope=nullcontext,
            finish=lambda self: None,
        )
    # torch.compile counts its recompilations by code object: one for each class, as a forward is.
    native.__call__ = FunctionType(__call__.__code__.replace(), globals(), "__call__")
    native.__reduce_ex__ = __reduce_ex__
    return native


def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return nn.Module.__call__(self, *args, **kwargs)
    except Exception as error:
        explained = explain(self, self._block_backend, args, error)
        if explained is error:
            raise
        raise explained from error


def __reduce_ex__(self: Any, protocol: Any) -> tuple[Any, ...]:
    # By block class: no module holds the native class of a user's block.
    _, _, *state = tuple(object.__reduce_ex__(self, protocol))
    return (blank, (self._portable, self._block_backend.name), *state)


def blank(portable: type[Block], backend: str) -> Any:
    """An instance whose `__init__` has not run, for unpickling into."""
    native = portable.on(backend)
    return native.__new__(native)
