"""What the messages in the header of an HDF5 object say: shapes, dtypes, attributes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.formats.bfloat16 import widened
from unified_blocks.types import Array

_WHOLE, _FLOAT, _TEXT, _OPAQUE, _VARIABLE = 0, 1, 3, 5, 9
_IEEE = {2: (15, 10, 5, 0, 10, 15), 4: (31, 23, 8, 0, 23, 127), 8: (63, 52, 11, 0, 52, 1023)}
"""By size: the place of the sign, the place and length of exponent and mantissa, and the bias."""


@dataclass(frozen=True)
class Numbers:
    """An array in a file, not read yet."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    bfloat16: bool
    offset: int
    data: memoryview

    @property
    def nbytes(self) -> int:
        """Its size in the file."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    @property
    def places(self) -> int:
        """The product of a shape that NumPy computes, which leaves out zeros."""
        return int(np.prod([n for n in self.shape if n], dtype=object))

    def read(self) -> Array:
        """The array: a view of the file, if its bytes are in our order."""
        native = self.dtype.newbyteorder("=")
        if not self.nbytes:
            return np.empty(self.shape, "float32" if self.bfloat16 else native)
        count = self.nbytes // self.dtype.itemsize
        array = np.frombuffer(self.data, self.dtype, count, self.offset).reshape(self.shape)
        return widened(array) if self.bfloat16 else array.astype(native, copy=False)


def dataspace(content: bytes) -> tuple[int, ...] | None:
    """The shape in a message; None for one that holds nothing."""
    version, rank, _, kind = struct.unpack_from("<4B", content)
    if version not in (1, 2) or (version == 2 and kind == 2):
        return None
    return struct.unpack_from(f"<{rank}Q", content, 8 if version == 1 else 4)


def datatype(content: bytes) -> np.dtype[Any] | None:
    """The dtype in a message; None for one that is not a number."""
    kind, bits, sign, _, size = struct.unpack_from("<4BI", content)
    order = ">" if bits & 1 else "<"
    if kind & 0xF == _OPAQUE and size == 2:
        return np.dtype("V2")
    if kind & 0xF == _WHOLE and size in (1, 2, 4, 8):
        if struct.unpack_from("<2H", content, 8) != (0, 8 * size):
            return None  # some of its bits are not used
        return np.dtype(f"{order}{'i' if bits & 0x8 else 'u'}{size}")
    if kind & 0xF == _FLOAT and size in _IEEE and not bits & 0x40:
        offset, width, *exponent, bias = struct.unpack_from("<2H4BI", content, 8)
        # The leading bit of the mantissa is implied (0x20), as IEEE 754 has it.
        if (offset, width) == (0, 8 * size) and (sign, *exponent, bias) == _IEEE[size]:
            return np.dtype(f"{order}f{size}") if bits & 0x30 == 0x20 else None
    return None


def string_attribute(content: bytes, variable: Callable[[int, int, int], bytes]) -> tuple[str, str]:
    """The name and value of an attribute; an empty value for one that is not a string.

    `variable(size, heap, index)` gets a string of variable length.
    """
    version, _, name_size, type_size, space_size = struct.unpack_from("<2B3H", content)
    at = 9 if version == 3 else 8  # version 3 says in which alphabet the name is
    padded = [-(-n // 8) * 8 if version == 1 else n for n in (name_size, type_size, space_size)]
    name = content[at : at + name_size].rstrip(b"\0").decode("utf-8")
    kind = content[at + padded[0] :][:type_size]
    value = content[at + sum(padded) :]
    shape = dataspace(content[at + padded[0] + padded[1] :][:space_size])
    if shape != () or not kind:
        return name, ""
    if kind[0] & 0xF == _VARIABLE and kind[1] & 0xF == 1:
        return name, variable(*struct.unpack_from("<IQI", value)).rstrip(b"\0").decode("utf-8")
    if kind[0] & 0xF == _TEXT:
        (size,) = struct.unpack_from("<I", kind, 4)
        return name, value[:size].rstrip(b"\0").decode("utf-8")
    return name, ""
