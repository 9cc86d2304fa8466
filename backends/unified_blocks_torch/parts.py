"""What processes hold in parts, in a folder: `torch.distributed.checkpoint`, PyTorch's DCP.

Each process writes its parts, and reads those that it is to hold, however many wrote them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping

import torch
from torch.distributed import checkpoint
from torch.distributed.checkpoint.metadata import TensorStorageMetadata

from unified_blocks.types import Array


def write(folder: str, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write tensors, by all processes."""
    checkpoint.save(dict(tensors), checkpoint_id=folder)


def read(folder: str, tensors: Mapping[str, torch.Tensor]) -> None:
    """Read into tensors, in each process into the parts that it holds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a process may be alone is intended
        checkpoint.load(dict(tensors), checkpoint_id=folder)


def stored(folder: str) -> Iterator[tuple[str, tuple[int, ...], str, torch.dtype]]:
    """The name, shape and dtype of each tensor in a folder."""
    found = checkpoint.FileSystemReader(folder).read_metadata().state_dict_metadata
    for name, each in found.items():
        if isinstance(each, TensorStorageMetadata):
            dtype = each.properties.dtype
            yield name, tuple(each.size), str(dtype).removeprefix("torch."), dtype


def whole_array(folder: str, name: str, shape: tuple[int, ...], dtype: torch.dtype) -> Array:
    """All of a tensor in a folder."""
    tensor = torch.empty(shape, dtype=dtype)
    read(folder, {name: tensor})
    return tensor.numpy()
