"""The tensors that a pickle of PyTorch describes, as strided views of storages.

A pickle names a storage by a persistent id, `("storage", FloatStorage, key, device, count)`, and a
tensor by a call of `_rebuild_tensor_v2(storage, offset, size, stride, …)`. Offsets and strides
count elements. The storage itself is elsewhere, and is not looked at here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from unified_blocks.dtypes import numpy_dtype
from unified_blocks.formats.bfloat16 import item_size, widened
from unified_blocks.formats.pytorch.opcodes import Attributed, Global, Unpickler
from unified_blocks.types import Array

STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}
"""What PyTorch calls the storage of each dtype."""

UNTYPED = ("uint16", "uint32", "uint64")
"""The dtypes without their own storage class, which are in an untyped one."""

_STORAGE_DTYPES = {f"torch.{name}": dtype for name, dtype in STORAGES.items()}
_STORAGE_DTYPES["torch.storage.UntypedStorage"] = "uint8"
_TENSOR_DTYPES = {f"torch.{dtype}": dtype for dtype in (*STORAGES.values(), *UNTYPED)}
_MOST_AXES = 32  # NumPy 1 has no more
_WIDEST = 16  # bytes of an element


@dataclass(frozen=True)
class Storage:
    """A run of `count` elements, known by its key."""

    key: str
    dtype: str
    count: int

    @property
    def nbytes(self) -> int:
        return self.count * item_size(self.dtype)


@dataclass(frozen=True)
class Tensor:
    """A strided view of a storage; a parameter, if it says so."""

    storage: Storage
    dtype: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    parameter: bool = False

    @property
    def nbytes(self) -> int:
        """Its size in memory, without sharing, as NumPy holds it."""
        return int(np.prod(self.size, dtype=object)) * np.dtype(numpy_dtype(self.dtype)).itemsize

    def view(self, data: memoryview, swapped: bool) -> Array:
        """The array, given the bytes of the storage; `swapped` if they are not in our order."""
        dtype = np.dtype("uint16" if self.dtype == "bfloat16" else self.dtype)
        stored = dtype.newbyteorder() if swapped else dtype
        if 0 in self.size:
            flat = np.empty(self.size, stored)
        else:
            flat = np.lib.stride_tricks.as_strided(
                np.frombuffer(data, stored, self.extent, self.offset * stored.itemsize),
                self.size,
                [step * stored.itemsize for step in self.stride],
            )
        array = flat.astype(dtype) if swapped else flat
        return widened(array) if self.dtype == "bfloat16" else array

    @property
    def extent(self) -> int:
        """How many elements lie between the first and the last one, both counted."""
        return 1 + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))


class StateUnpickler(Unpickler):
    """A machine that makes `Tensor`s and dictionaries, and refuses every other global.

    Attributes:
        storages: those that the pickle names, by key.
    """

    names = frozenset(_STORAGE_DTYPES) | frozenset(_TENSOR_DTYPES)

    def __init__(self, path: Path, data: memoryview, size: int) -> None:
        super().__init__(path, data, size)
        self.storages: dict[str, Storage] = {}
        self.functions = {
            "collections.OrderedDict": self._ordered,
            "torch._utils._rebuild_tensor_v2": self._tensor_v2,
            "torch._utils._rebuild_tensor_v3": self._tensor_v3,
            "torch._utils._rebuild_parameter": self._parameter,
        }

    def persistent(self, identity: tuple[Any, ...]) -> Storage:
        if len(identity) not in (5, 6) or identity[0] != "storage":
            raise self.refuse("a persistent id must be of a storage", identity)
        _, kind, key, _, count, *view = identity
        if type(kind) is not Global or kind.name not in _STORAGE_DTYPES:
            raise self.refuse("a storage must be of a known class", kind)
        if type(key) is not str or type(count) is not int or not 0 <= count < 2**63 or any(view):
            raise self.refuse("a storage must have a key and a size, and be no view", identity)
        dtype = _STORAGE_DTYPES[kind.name]
        storage = Storage(key, dtype, count)
        if self.storages.setdefault(key, storage).nbytes != storage.nbytes:
            raise self.refuse("a storage must have one size; it has another before", key)
        return storage

    def _tensor(self, dtype: str | None, arguments: tuple[Any, ...]) -> Tensor:
        storage, offset, size, stride = arguments[:4]
        if type(storage) is not Storage:
            raise self.refuse("a tensor must be of a storage", storage)
        numbers = (offset, *size, *stride) if type(size) is type(stride) is tuple else (None,)
        if any(type(n) is not int or not 0 <= n < 2**63 for n in numbers):
            raise self.refuse("offset, size and stride must be whole numbers, none negative", size)
        if len(size) != len(stride) or len(size) > _MOST_AXES:
            raise self.refuse(
                f"a tensor must have a stride for each of up to {_MOST_AXES} axes", size
            )
        tensor = Tensor(storage, dtype or storage.dtype, offset, size, stride)
        end = 0 if 0 in size else (offset + tensor.extent) * item_size(tensor.dtype)
        if end > storage.nbytes or _places(size) * _WIDEST >= 2**63:
            raise self.refuse(
                f"a tensor must lie in its storage of {storage.nbytes:,} bytes",
                f"one of shape {size} and strides {stride} from element {offset:,}",
            )
        return tensor

    def _tensor_v2(self, arguments: tuple[Any, ...]) -> Tensor:
        if len(arguments) not in (6, 7) or any(arguments[6:]):
            raise self.refuse("a tensor must have 6 arguments, and not be conjugated", arguments)
        return self._tensor(None, arguments)

    def _tensor_v3(self, arguments: tuple[Any, ...]) -> Tensor:
        if len(arguments) not in (7, 8) or any(arguments[7:]):
            raise self.refuse("a tensor must have 7 arguments, and not be conjugated", arguments)
        dtype = arguments[6]
        if type(dtype) is not Global or dtype.name not in _TENSOR_DTYPES:
            raise self.refuse("a tensor must be of a known dtype", dtype)
        return self._tensor(_TENSOR_DTYPES[dtype.name], arguments)

    def _parameter(self, arguments: tuple[Any, ...]) -> Tensor:
        if len(arguments) != 3 or type(arguments[0]) is not Tensor:
            raise self.refuse("a parameter must be made of a tensor", arguments)
        return replace(arguments[0], parameter=True)

    def _ordered(self, arguments: tuple[Any, ...]) -> Attributed:
        if arguments:
            raise self.refuse("a dictionary must be filled item by item", arguments)
        return Attributed()


def _places(size: tuple[int, ...]) -> int:
    """The product of a shape as NumPy computes it: it must not overflow even for an empty array."""
    return int(np.prod([n for n in size if n], dtype=object))
