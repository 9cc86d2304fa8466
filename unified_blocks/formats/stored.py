"""Arrays that are not read yet: `Stored`, and `StateFile`, those in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unified_blocks.errors import FileFormatError
from unified_blocks.types import Array


@dataclass(frozen=True)
class Stored:
    """One array of a model or in a file, not read yet.

    Attributes:
        name: its canonical name, dotted: `"hidden.weight"`.
        shape: its canonical shape, `(out, in)` for a dense weight.
        dtype: the NumPy name of the dtype that reading gives.
        read: reads it, in canonical layout. The result may be a view of the file.
        role: `"parameter"`, `"constant"`, `"optimizer"`, or None where the format does not say.
        kind: what layer holds it (`"Dense"`, `"Embedding"`, `"BatchNorm"`, …), or None.
        stored_name: the name in the file, or None where it is the canonical one; in the files of
            MXNet always the name.
        stored_dtype: the dtype in the file, where it differs: a bfloat16 is read as float32, which
            holds every bfloat16 exactly.
        verify: raises `FileFormatError` when the array cannot be read; None when it always can.
        aliases: the other names of an array that a model shares.
        is_tied: whether layers of several kinds may hold it: the table of an embedding, and a
            dense weight.
        optional: whether a model that computes the same may lack it.
        per_group: see `Variable`.
        unsettled: whether it is a guess which of its axes are the channels.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], Array]
    role: str | None = None
    kind: str | None = None
    stored_name: str | None = None
    stored_dtype: str | None = None
    verify: Callable[[], None] | None = None
    aliases: tuple[str, ...] = ()
    is_tied: bool = False
    optional: bool = False
    per_group: bool = False
    unsettled: bool = False

    @property
    def nbytes(self) -> int:
        """The size of the array in memory."""
        return int(np.prod(self.shape, dtype=object)) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class StateFile(Mapping[str, Array]):
    """The arrays in a file by canonical name: a mapping that reads each on access.

    What it gives can be used like any array: it is aligned, of this machine's byte order, and can
    be written to. It is a view of the file, without a copy, where the file's bytes are so. What is
    written to it never reaches the file; another access may show it.

    Attributes:
        path: the file.
        format: the name of its format.
        tensors: a description of each array, without reading it, in the order of the file.
        metadata: all other metadata in the file.
        own: the metadata that this library wrote: the `format` version and `library`, the
            `configuration` of a block, what is `frozen`. Empty in other files, in whose `metadata`
            a `format` may mean something else.
        settings: by layer, what the file says of it besides its numbers: the epsilon of a norm.
        ordered: whether the arrays are in the order in which the model defines its layers.
        order_remedy: if they are not, what to do instead of relying on it.
        left_out: the layers that were not read, with `strict=False`, and why.
    """

    path: Path
    format: str
    tensors: Mapping[str, Stored]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ordered: bool = True
    order_remedy: str = "use rename={…}"
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, path: Path, name: str, tensors: Iterable[Stored], metadata: Any = None, **more: Any
    ) -> StateFile:
        """The file `path`, of the format of that name, with these arrays.

        `more` are the other attributes.

        Raises:
            FileFormatError: when two of them have one name.
        """
        found: dict[str, Stored] = {}
        for stored in tensors:
            if stored.name in found:
                raise FileFormatError(
                    f"{path}: the name of each array must be unique; got {stored.name} twice"
                )
            found[stored.name] = stored
        return cls(path, name, found, metadata or {}, **more)

    @property
    def what_is_left_out(self) -> str:
        """The layers that were not read, in words."""
        more = len(self.left_out) - 10
        return "; ".join(self.left_out[:10]) + (f"; and {more} more" if more > 0 else "")

    def __getitem__(self, name: str) -> Array:
        array = self.tensors[name].read()
        flags, native = array.flags, array.dtype.newbyteorder("=")
        usable = flags.aligned and flags.writeable and array.dtype == native
        return array if usable else np.array(array, native)

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __repr__(self) -> str:
        return f"<{len(self.tensors)} arrays in {self.path}, {self.format}>"

    def __len__(self) -> int:
        return len(self.tensors)
