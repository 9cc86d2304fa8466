"""An array in a mapped file of MXNet."""

from __future__ import annotations

import math
import sys
from functools import partial

import numpy as np

from unified_blocks.dtypes import numpy_dtype
from unified_blocks.formats.bfloat16 import item_size, widened
from unified_blocks.formats.stored import Stored
from unified_blocks.types import Array

MAX_ARRAYS = 2**16
"""An array can take 4 bytes in a file but hundreds in memory; no network has this many arrays."""

DTYPES = (
    *("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool"),
    *("int16", "uint16", "uint32", "uint64", "bfloat16"),
)
"""In the order of MXNet's numbers for them."""


def fits(shape: tuple[int, ...], dtype: str) -> int | None:
    """How many bytes such an array takes in a file; None if NumPy does not support its shape."""
    # NumPy multiplies the other dimensions of an empty array too.
    if len(shape) > 32 or math.prod(size or 1 for size in shape) > sys.maxsize // 8:
        return None
    return math.prod(shape) * item_size(dtype)


def stored(shape: tuple[int, ...], dtype: str, data: memoryview, offset: int, name: str) -> Stored:
    """The array at `offset` of `data`, a file's bytes."""
    read = partial(decoded, data, offset, shape, dtype)
    read_as = numpy_dtype(dtype)
    return Stored(name, shape, read_as, read, stored_dtype=None if read_as == dtype else dtype)


def without_shape(name: str) -> Stored:
    """An array that was never given one."""
    return Stored(name, (0,), "float32", partial(np.empty, 0, np.float32))


def decoded(
    data: memoryview | bytes, offset: int, shape: tuple[int, ...], dtype: str, order: str = "<"
) -> Array:
    """The numbers at `offset`: a view, unless they have to be changed or moved."""
    if dtype == "bfloat16":
        return widened(np.ndarray(shape, order + "u2", data, offset))
    if dtype == "bool":  # NumPy assumes that the byte of a bool is 0 or 1
        return np.asarray(np.ndarray(shape, np.uint8, data, offset) != 0)
    array: Array = np.ndarray(shape, order + np.dtype(dtype).str[1:], data, offset)
    return array if array.flags.aligned else array.copy()
