"""`StateFile`: the arrays in a file, each read when it is asked for."""

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
    """One array in a file, not read yet.

    Attributes:
        name: its canonical name, dotted: `"hidden.weight"`.
        shape: its canonical shape, `(out, in)` for a dense weight.
        dtype: the NumPy name of the dtype that reading gives.
        read: reads it, in canonical layout. The result may be a view of the file, not writable.
        role: `"parameter"`, `"constant"`, `"optimizer"`, or None where the format does not say.
        kind: what layer holds it (`"Dense"`, `"Embedding"`, `"BatchNorm"`, …), or None.
        stored_name, stored_dtype: what the file itself says, where that is something else:
            a bfloat16 is read as float32, which holds every bfloat16 exactly.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], Array]
    role: str | None = None
    kind: str | None = None
    stored_name: str | None = None
    stored_dtype: str | None = None

    @property
    def nbytes(self) -> int:
        """The size of the array in memory."""
        return int(np.prod(self.shape, dtype=object)) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class StateFile(Mapping[str, Array]):
    """The arrays in a file by canonical name: a mapping that reads one when it is asked for.

    Attributes:
        path: the file.
        format: the name of its format.
        tensors: what is known of each array without reading it, in the order of the file.
        metadata: what else the file says: the configuration in a checkpoint of this library.
    """

    path: Path
    format: str
    tensors: Mapping[str, Stored]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, path: Path, format: str, tensors: Iterable[Stored], metadata: Any = None
    ) -> StateFile:
        """The file `path` with these arrays.

        Raises:
            FileFormatError: when two of them have one name.
        """
        found: dict[str, Stored] = {}
        for stored in tensors:
            if stored.name in found:
                raise FileFormatError(
                    f"{path}: the name of each array must be its own; got {stored.name} twice"
                )
            found[stored.name] = stored
        return cls(path, format, found, metadata or {})

    def __getitem__(self, name: str) -> Array:
        return self.tensors[name].read()

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)
