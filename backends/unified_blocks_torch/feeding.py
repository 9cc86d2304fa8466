"""Batches for PyTorch: from its own loaders, and of tensors of other frameworks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from unified_blocks.backend import Batch
from unified_blocks.backend.tensors import as_tensor


def loader_of(value: Any) -> Iterable[Batch] | None:
    """See `Backend.loader_of`."""
    if isinstance(value, Dataset):
        raise TypeError(
            f"data must be in batches; got a {type(value).__name__}, which gives single samples: "
            "give torch.utils.data.DataLoader(data, batch_size=32)"
        )
    return value if isinstance(value, DataLoader) else None


def taken(tensor: Any, device: str | None = None) -> torch.Tensor:
    """See `Backend.taken`."""
    found: torch.Tensor = as_tensor(tensor, "torch")
    return found if device is None else found.to(device.replace("gpu", "cuda"))
