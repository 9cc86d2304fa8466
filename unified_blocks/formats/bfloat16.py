"""bfloat16, which NumPy has not: read as float32, which holds each of its numbers."""

from __future__ import annotations

import numpy as np

from unified_blocks.types import Array


def widened(bits: Array) -> Array:
    """The float32 of each bfloat16, which is its upper half."""
    return (bits.astype("uint32") << np.uint32(16)).view("float32")
