"""MXNet's `.params` files: of every 1.x, and the `.npz` that 2.0 writes under the same ending.

All numbers are little-endian. A file of 1.x is a mark of 16 bytes, a count and as many arrays, a
count and as many names, or none for a list. An array begins with the mark of the version that wrote
it; in the oldest files that word is the number of dimensions itself.

    mark        after it
    0xF993FACA  i32 storage, i32 ndim, i64 shape    written under NumPy semantics
    0xF993FAC9  i32 storage, i32 ndim, i64 shape    written without them
    0xF993FAC8  i32 ndim, i64 shape
    ndim        u32 shape

Then i32 device type, i32 device number, i32 dtype, and the numbers. An array without a shape
ends after the shape (no dimensions; under NumPy semantics, where that is a scalar, -1 of them, or a
dimension of -1). It is read as an empty one of shape (0,).

Storage is 0, or 1 for an array of which only some rows are stored, the others being zero. Its shape
is that of these rows, then of the array; after its dtype comes that of the rows' numbers and how
many there are, after its numbers those of the rows.

Source: `NDArray::Save` and `NDArray::Load` in src/ndarray/ndarray.cc of MXNet 1.9.1.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from unified_blocks.errors import FileFormatError, UnsupportedError
from unified_blocks.formats.atomic import replacing
from unified_blocks.formats.mxnet import graph, npz
from unified_blocks.formats.mxnet import names as mxnet_names
from unified_blocks.formats.mxnet.values import DTYPES, MAX_ARRAYS, fits, stored, without_shape
from unified_blocks.formats.stored import StateFile, Stored
from unified_blocks.formats.zips import MOST_EXPANSION
from unified_blocks.types import Array

NAME = "mxnet-params"
SUFFIXES = (".params",)

_HEADER = struct.pack("<QQ", 0x112, 0)
_NUMPY, _LEGACY, _NO_STORAGE = 0xF993FACA, 0xF993FAC9, 0xF993FAC8
_WRITTEN = DTYPES[:8]  # 1.9.1 reads no other, except bfloat16, which no array of NumPy is
_CPU = (1, 0)
_DENSE, _ROWS, _CSR = 0, 1, 2
_DENSER = 'convert it with tostype("default") and save again'


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file that begins with these bytes is a `.params` file, whatever its name."""
    return head.startswith(_HEADER) or npz.recognises(head)


def read(path: Path) -> StateFile:
    """The arrays of a `.params` file; views of the file wherever its bytes can be used as they are.

    Names become canonical: of a norm, `gamma` is `weight` and `beta` is `bias`; the
    `arg:net0_dense0_weight` of an exported file is `net0_dense0.weight`; the
    `_unfused.0.i2h_weight` of an LSTM is `weight_ih_l0`, as PyTorch calls it. A bfloat16 is read as
    float32, and an array of which only some rows are stored has all of them.

    A file that `export` or a Module wrote lists its arrays in any order. That of the layers is in
    the graph, `net-symbol.json` beside `net-0000.params`; so are the epsilon and the momentum of
    its norms, which are in `settings`.

    A `BatchNorm` with `scale=False` has a gamma in the file that its layer ignores: it multiplies
    by 1. Only the graph says so. It is honoured if it is there; then `metadata["fix_gamma"]` names
    the weights that are 1 whatever the file holds. A file that `save_parameters` wrote has no
    graph, and does not distinguish such a gamma from one that is used: the caller must set it to 1.

    Raises:
        FileFormatError: what is in it, or in the graph beside it, is damaged, or an array is
            sparse in another way.
    """
    if not path.stat().st_size:  # an empty file cannot be mapped
        raise FileFormatError(f"{path}: a .params file must not be empty; copy it anew")
    data = np.memmap(path, np.uint8, mode="c").data
    zipped = bytes(data[:2]) == b"PK"
    tensors = npz.tensors(path, data) if zipped else list(_Reader(path, data).tensors())
    known = graph.beside(path)
    ignored = {f"arg:{gamma}" for gamma in known.fixed} if known else set()
    renamed = mxnet_names.canonical(tensors, ignored)
    layers = [tensor.name.rpartition(".")[0] for tensor in renamed]
    exported = any(mxnet_names.is_exported(tensor.name) for tensor in tensors)
    plain = [re.sub("^(arg|aux):", "", tensor.name) for tensor in tensors]
    order = known.order(plain, layers) if known else None
    settings = {
        layer: known.norms[name]
        for name, layer in zip(plain, layers, strict=True)
        if known and name in known.norms
    }
    ones = [t.name for t in renamed if t.stored_name in ignored]
    return StateFile.of(
        path,
        NAME,
        [renamed[i] for i in order] if order else renamed,
        {"fix_gamma": ones} if ones else {},
        settings=settings,
        ordered=order is not None if exported else not zipped and _may_be_in_order(layers),
        order_remedy=_GRAPH if exported else "use rename={…}",
    )


_GRAPH = (
    "put the graph of its network beside it, net-symbol.json beside net-0000.params, or use "
    "rename={…}"
)


def _may_be_in_order(layers: list[str]) -> bool:
    """Whether nothing shows that a dict without order was saved, as before Python 3.7.

    The arrays of a layer stand together there, and the numbers of a Sequential ascend.
    """
    runs = [layer for i, layer in enumerate(layers) if not i or layer != layers[i - 1]]
    if len(set(runs)) < len(runs):
        return False
    last: dict[str, int] = {}
    for layer in runs:
        above = ""
        for part in layer.split("."):
            if part.isdecimal() and len(part) < 10:
                if int(part) < last.get(above, 0):
                    return False
                last[above] = int(part)
            above += f"{part}."
    return True


def write(path: Path, tensors: Iterable[Stored], metadata: Mapping[str, Any]) -> None:
    """A file as `save_parameters` writes it, for `load_parameters` under any semantics.

    What another file of MXNet held is written under the names it had there, so that a Module or
    `SymbolBlock.imports` loads what it loaded before.

    Each array is read when its turn comes. The format cannot store `metadata`. Arrays are marked as
    written without NumPy semantics, which `load_parameters` reads with and without them; a scalar
    exists only under NumPy semantics, and a file with one must be loaded there.

    Raises:
        UnsupportedError: a dtype that MXNet lacks. No file is written then.
        FileFormatError: two arrays have one name.
    """
    tensors = list(StateFile.of(path, NAME, tensors).tensors.values())
    for tensor in tensors:
        _code(path, tensor.name, tensor.dtype)
    names = mxnet_names.of_mxnet(tensors)
    mark = _NUMPY if any(tensor.shape == () for tensor in tensors) else _LEGACY
    with replacing(path) as file:
        file.write(_HEADER + struct.pack("<Q", len(tensors)))
        for tensor in tensors:
            _write_array(file, mark, _code(path, tensor.name, tensor.dtype), tensor.read())
        file.write(struct.pack("<Q", len(names)))
        for name in names:
            encoded = name.encode()
            file.write(struct.pack("<Q", len(encoded)) + encoded)


def _code(path: Path, name: str, dtype: str) -> int:
    if dtype not in _WRITTEN:
        raise UnsupportedError(
            f"{path}: the dtype of an array for MXNet must be one of {', '.join(_WRITTEN)}; "
            f"got dtype={dtype} of {name}; convert it before"
        )
    return _WRITTEN.index(dtype)


def _write_array(file: BinaryIO, mark: int, code: int, array: Array) -> None:
    shape = struct.pack(f"<i{array.ndim}q", array.ndim, *array.shape)
    file.write(struct.pack("<Ii", mark, 0) + shape + struct.pack("<iii", *_CPU, code))
    dtype = np.dtype(_WRITTEN[code]).newbyteorder("<")
    file.write(np.asarray(array, dtype, order="C").data)


@dataclass
class _Reader:
    """A file of 1.x, read from its beginning to its end."""

    path: Path
    data: memoryview
    position: int = 0

    def tensors(self) -> Iterator[Stored]:
        if bytes(self.data[: len(_HEADER)]) != _HEADER:
            raise self._wrong("must begin with MXNet's mark, 0x112 and 0", "another")
        self.position = len(_HEADER)
        (count,) = self._take("<Q")
        if count > MAX_ARRAYS:
            raise self._wrong(f"must hold at most {MAX_ARRAYS} arrays", f"{count} announced")
        makers = [self._array() for _ in range(count)]
        for name, make in zip(self._names(count), makers, strict=True):
            yield make(name)
        if self.position < len(self.data):
            left = len(self.data) - self.position
            raise self._wrong("must end after the names", f"{left} bytes more")

    def _array(self) -> Callable[[str], Stored]:
        """A function that makes the `Stored` of the next array from its name, which comes later."""
        (mark,) = self._take("<I")
        storage = self._take("<i")[0] if mark in (_NUMPY, _LEGACY) else _DENSE
        if storage not in (_DENSE, _ROWS):
            found = "a csr" if storage == _CSR else f"storage type {storage}"
            raise self._wrong("must hold row_sparse or dense arrays only", found, _DENSER)
        held = self._shape(mark) if storage == _ROWS else None
        shape = self._shape(mark)
        if shape is None:
            return without_shape
        *_, code = self._take("<iii")
        if not 0 <= code < len(DTYPES):
            raise self._wrong(f"must hold arrays of dtype 0 to {len(DTYPES) - 1}", f"dtype {code}")
        dtype = DTYPES[code]
        size = fits(shape, dtype)
        if size is None:
            raise self._wrong("must hold arrays that the memory can address", f"shape {shape}")
        if storage == _ROWS:
            return self._rows(mark, shape, held or (0,), dtype)
        return partial(stored, shape, dtype, self.data, self._skip(size))

    def _rows(
        self, mark: int, shape: tuple[int, ...], held: tuple[int, ...], dtype: str
    ) -> Callable[[str], Stored]:
        """As `_array`, of one of which only some rows are stored: `row_sparse`, as MXNet says."""
        (code,) = self._take("<i")
        count = self._shape(mark)
        rows = held[0]
        if count != (rows,) or code != DTYPES.index("int64"):
            raise self._wrong("must give an int64 for each row", f"{count} of dtype {code}")
        if not shape or (rows and held[1:] != shape[1:]):
            raise self._wrong("must hold rows of the array's shape", f"{held} of {shape}")
        if (fits(shape, dtype) or 0) > MOST_EXPANSION * len(self.data):
            raise self._wrong(
                f"must hold rows of arrays of at most {MOST_EXPANSION} times its size",
                f"shape {shape}",
                _DENSER,
            )
        size = fits(held, dtype) if rows else 0
        if size is None:
            raise self._wrong("must hold arrays that the memory can address", f"shape {held}")
        start = self._skip(size)
        at = self._skip(8 * rows)
        places = np.frombuffer(self.data, "<i8", rows, at)
        if rows and not 0 <= places.min() <= places.max() < shape[0]:
            raise self._wrong(f"must hold rows from 0 to {shape[0] - 1}", "another")
        given = stored(held, dtype, self.data, start, "")

        def read() -> Array:
            whole = np.zeros(shape, given.dtype)
            if rows:
                whole[places] = given.read()
            return whole

        return lambda name: replace(given, name=name, shape=shape, read=read)

    def _shape(self, mark: int) -> tuple[int, ...] | None:
        marked = mark in (_NUMPY, _LEGACY, _NO_STORAGE)
        ndim = self._take("<i")[0] if marked else mark
        if ndim == (-1 if mark == _NUMPY else 0):
            return None
        if not 0 <= ndim <= 32:  # what NumPy 1 can hold
            raise self._wrong("must hold arrays of 0 to 32 dimensions", f"{ndim} ({ndim:#x})")
        shape = self._take(f"<{ndim}{'q' if marked else 'I'}")
        if mark == _NUMPY and -1 in shape:
            return None
        if any(size < 0 for size in shape):
            raise self._wrong("must hold arrays with dimensions of 0 or more", f"shape {shape}")
        return shape

    def _names(self, count: int) -> Iterator[str]:
        (names,) = self._take("<Q")
        if names == 0:  # a list
            yield from map(str, range(count))
            return
        if names != count:
            raise self._wrong("must name each array or none", f"{names} names of {count} arrays")
        for _ in range(count):
            (length,) = self._take("<Q")
            start = self._skip(length)
            try:
                yield str(self.data[start : start + length], "utf-8")
            except UnicodeDecodeError as error:
                raise self._wrong("must have names in UTF-8", str(error)) from None

    def _take(self, layout: str) -> tuple[int, ...]:
        start = self._skip(struct.calcsize(layout))
        return struct.unpack_from(layout, self.data, start)

    def _skip(self, size: int) -> int:
        """Skip `size` bytes; return where they begin."""
        start, left = self.position, len(self.data) - self.position
        if size > left:
            raise self._wrong("must hold what it announces", f"{size} bytes where {left} are left")
        self.position += size
        return start

    def _wrong(self, rule: str, received: str, remedy: str = "copy it anew") -> FileFormatError:
        return FileFormatError(
            f"{self.path}: a .params file {rule}; got {received} at byte {self.position}; {remedy}"
        )
