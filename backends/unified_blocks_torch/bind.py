"""How a block class becomes an `nn.Module`."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import torch
from torch import nn

from unified_blocks.arguments import checked, give
from unified_blocks.calls import explain
from unified_blocks.pickling import reduce_by_block


def bind(native: Any) -> Any:
    """Complete a class that extends a block class and `nn.Module`; see `Backend.bind`."""
    if "__init__" in vars(native):
        native.__init__ = checked(native.__init__, lambda name: getattr(torch, name))
    # torch.compile counts its recompilations by code object: one for each class, as a forward is.
    give(native, FunctionType(__call__.__code__.replace(), globals(), "__call__"), __reduce_ex__)
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
    return reduce_by_block(self, protocol)
