"""Batches for PyTorch: from its own loaders, and of tensors of other frameworks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unified_blocks.backend import Batch
from unified_blocks.errors import UnsupportedError


def loader_of(value: Any) -> Iterable[Batch] | None:
    """See `Backend.loader_of`."""
    raise UnsupportedError(
        "data must be an array or a tensor; got a "
        f"{type(value).__module__}.{type(value).__qualname__} on PyTorch, where no loader is "
        "read yet: give arrays"
    )


def taken(tensor: Any) -> Any:
    """See `Backend.taken`."""
    raise UnsupportedError(
        "a batch must be an array or a tensor of PyTorch; got a "
        f"{type(tensor).__module__}.{type(tensor).__qualname__}: convert it with "
        "ub.as_tensor(x, 'torch')"
    )
