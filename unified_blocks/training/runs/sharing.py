"""A file of the first process for all that train along, whether or not they see its disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from unified_blocks.backend import Group


@contextmanager
def of_the_first(group: Group | None, file: Path) -> Iterator[Path | None]:
    """The file of the first process, or a copy of it; None when it has none. All call this."""
    if group is None or group.processes == 1:
        yield file if file.exists() else None
        return
    first = group.rank == 0
    sent = file.read_bytes() if first and file.exists() else b""
    length = int(group.sum(np.array([len(sent)]))[0])
    if not length:
        yield None
        return
    # Four bytes are a whole number, which the sum with the zeros of the others leaves as it is.
    words = np.zeros(-(-length // 4), "<u4")
    words.view("u1")[: len(sent)] = np.frombuffer(sent, "u1")
    received = group.sum(words).astype("<u4").tobytes()[:length]
    if first:
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, file.name)
        copy.write_bytes(received)
        yield copy
