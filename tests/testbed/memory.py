"""Where tensors lie in memory, and how much of it a call takes."""

from __future__ import annotations

import tracemalloc

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from unified_blocks.backend.dlpack import Exported


def at(offset, *shape, dtype="float64"):
    """Random numbers, `offset` bytes after a multiple of 64."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset
    array = memory[start : start + size].view(dtype).reshape(shape)
    array[...] = normal(*shape) * 10 > 0 if dtype == "bool" else abs(normal(*shape) * 10)
    return array


def address(value):
    """Where the numbers of an array or tensor begin, asked of its framework."""
    if isinstance(value, np.ndarray):
        return value.ctypes.data
    name = ub.backend_of(value).name
    if name == "torch":
        return value.data_ptr()
    if name == "tensorflow":
        import tensorflow as tf

        return np.asarray(tf.convert_to_tensor(value)).ctypes.data
    if value.dtype == bool:  # nobody can see it; what is written elsewhere must not be there
        return None
    return np.from_dlpack(Exported(value.to_dlpack_for_read)).ctypes.data


def allocated(size, call):
    """How many arrays of `size` bytes there were during a call, at most, beyond those before.

    And its result. NumPy tells `tracemalloc` what it allocates.
    """
    call()  # what is only done once is done
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = call()
        return (tracemalloc.get_traced_memory()[1] - before) // size, result
    finally:
        tracemalloc.stop()
