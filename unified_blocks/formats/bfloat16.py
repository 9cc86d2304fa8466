"""bfloat16, which NumPy lacks: read as float32, which holds each of its numbers exactly."""

from __future__ import annotations

import numpy as np

from unified_blocks.types import Array

NAME = "bfloat16"


def in_numpy(dtype: str) -> str:
    """The dtype as which an array of this dtype is read."""
    return "float32" if dtype == NAME else dtype


def item_size(dtype: str) -> int:
    """The bytes of one element in a file."""
    return 2 if dtype == NAME else np.dtype(dtype).itemsize


def widened(bits: Array) -> Array:
    """The float32 of each bfloat16, which is its upper half.

    Args:
        bits: as 16-bit whole numbers, in either byte order.
    """
    wide = bits.astype("uint32")
    wide <<= np.uint32(16)
    return wide.view("float32")
