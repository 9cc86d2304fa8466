"""`.params` files of MXNet made byte by byte, to be read where MXNet is not installed."""

import io
import math
import struct
import zipfile

import numpy as np

NUMPY, LEGACY, NO_STORAGE = 0xF993FACA, 0xF993FAC9, 0xF993FAC8
DTYPES = "float32 float64 float16 uint8 int32 int8 int64 bool int16 uint16 uint32 uint64"
CODES = {name: code for code, name in enumerate(DTYPES.split())}
BFLOAT16 = 12
DEVICE = struct.pack("<ii", 1, 0)


def array(values, mark=LEGACY, code=None):
    """An array as it is in a file of the version with this mark, None being the oldest."""
    values = np.asarray(values)
    return announced(mark, values.shape, CODES[values.dtype.name] if code is None else code) + (
        values.tobytes()
    )


def announced(mark, shape, code, storage=0):
    """What comes before the numbers."""
    if mark is None:
        before = struct.pack(f"<I{len(shape)}I", len(shape), *shape)
    else:
        storages = () if mark == NO_STORAGE else (storage,)
        before = struct.pack(
            f"<I{len(storages)}ii{len(shape)}q", mark, *storages, len(shape), *shape
        )
    return before + DEVICE + struct.pack("<i", code)


def some_rows(places, rows, shape, mark=LEGACY, code=CODES["int64"], count=None):
    """An array of which only the rows at these places are stored; `code` and `count` may lie."""
    rows, count = np.asarray(rows), len(places) if count is None else count
    before = struct.pack(f"<Iii{rows.ndim}q", mark, 1, rows.ndim, *rows.shape)
    whole = struct.pack(f"<i{len(shape)}q", len(shape), *shape)
    kinds = struct.pack("<iiiq", CODES[rows.dtype.name], code, 1, count)
    numbers_of_rows = np.asarray(places, "<i8").tobytes()
    return before + whole + DEVICE + kinds + rows.tobytes() + numbers_of_rows


def params(*arrays, names=(), count=None, named=None, name_length=None):
    """A file; `count`, `named` and `name_length` may lie."""
    count = len(arrays) if count is None else count
    named = len(names) if named is None else named
    encoded = [name if isinstance(name, bytes) else name.encode() for name in names]
    return (
        struct.pack("<QQQ", 0x112, 0, count)
        + b"".join(arrays)
        + struct.pack("<Q", named)
        + b"".join(
            struct.pack("<Q", len(name) if name_length is None else name_length) + name
            for name in encoded
        )
    )


def zipped(arrays, compression=zipfile.ZIP_STORED):
    """The `.npz` of 2.0 with these arrays by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, values in arrays.items():
            content = io.BytesIO()
            np.save(content, values)
            archive.writestr(f"{name}.npy", content.getvalue())
    return file.getvalue()


def npy(descr, shape, content=b"", fortran=False):
    """An `.npy` file whose header says this, true or not."""
    header = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def zip_of(files, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def numbers(*shape, dtype="float32"):
    """Different numbers, all of them representable."""
    return np.arange(1, 1 + math.prod(shape)).reshape(shape).astype(dtype)
