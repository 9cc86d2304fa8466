"""DLPack, by which two libraries share one array: https://dmlc.github.io/dlpack/latest/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unified_blocks.errors import SharingError
from unified_blocks.types import Array

CPU = (1, 0)
"""DLPack's name of the CPU."""


class Exported:
    """An array in the CPU's memory, as `np.from_dlpack` and its like ask for it.

    Args:
        capsule: makes a new capsule of DLPack; it keeps the memory alive.
    """

    def __init__(self, capsule: Callable[[], Any]) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule()

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU


def viewed(source: Any) -> Array:
    """A read-only array in the memory of an object that has `__dlpack__`.

    Raises:
        SharingError: for a dtype that NumPy lacks.
    """
    try:
        array: Array = np.from_dlpack(source)
    except RuntimeError as error:
        raise SharingError(f"a dtype that NumPy lacks ({error})") from error
    array.flags.writeable = False
    return array


def check_shareable(array: Array) -> None:
    """Raise `SharingError` for an array that no framework can hold in its memory."""
    if not array.flags.writeable:
        raise SharingError("a read-only array, which a tensor could write to")
    if not array.flags.aligned:
        raise SharingError("an array whose address is not a multiple of its dtype's alignment")
    if any(stride < 0 for stride in array.strides):  # PyTorch would end the process
        raise SharingError("an array with a negative stride")
