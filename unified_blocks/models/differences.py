"""`diff_state`: how the numbers of two models differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.formats.pytorch.packed import as_held
from unified_blocks.formats.stored import StateFile, Stored
from unified_blocks.models.loading import under_every_name
from unified_blocks.models.variables import stored_of
from unified_blocks.types import Array


@dataclass(frozen=True)
class Difference:
    """One array of two models.

    Attributes:
        name: its canonical name.
        a, b: its dtype and shape in each, `"float32 (10, 256)"`; None where it is missing.
        largest: the largest absolute difference; infinite where a number that is not finite meets
            another number; None where they cannot be compared.
        equal: whether they are the same, bit for bit.
        matters: False if a model may lack it: a count of batches, or a weight that its framework
            holds at 1.
    """

    name: str
    a: str | None
    b: str | None
    largest: float | None
    equal: bool
    matters: bool = True


@dataclass(frozen=True)
class StateDifference:
    """The arrays of two models, compared by name; printed, a table of those that differ."""

    rows: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether all arrays that matter are the same in both, bit for bit."""
        return all(row.equal or not row.matters for row in self.rows)

    def __str__(self) -> str:
        differing = [row for row in self.rows if not row.equal]
        if self.equal:
            extra = ", ".join(row.name for row in differing)
            equal = f"{len(self.rows) - len(differing)} arrays, all equal"
            return f"{equal}; one lacks {extra}, which is optional" if extra else equal
        cells = [("name", "a", "b", "largest difference")]
        for row in differing:
            largest = "" if row.largest is None else f"{row.largest:.3g}"
            cells.append((row.name, row.a or "missing", row.b or "missing", largest))
        widths = [max(len(line[i]) for line in cells) for i in range(4)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in cells
        ]
        return "\n".join([*lines, f"{len(differing)} of {len(self.rows)} arrays differ"])


def diff_state(a: Any, b: Any, *, strict: bool = True) -> StateDifference:
    """Compare the numbers of two models, of any two frameworks, by canonical name.

    Args:
        a, b: models, files that `ub.read_state` opened, or states. An array that one of them
            shares is compared under each of its names that the other has.
        strict: as `state` takes it.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        UnsupportedError: as `state`.

    Example::

        a, b = (ub.build(ub.MLP(256, 10), (2, 20)) for _ in range(2))
        print(ub.diff_state(a, b))  # a table of the arrays that differ
    """
    first, second = (stored_of(each, "diff_state", strict) for each in (a, b))
    if isinstance(a, StateFile):
        first = _spelled(first, second)
    if isinstance(b, StateFile):
        second = _spelled(second, first)
    second = as_held(second, under_every_name(first))
    names = list(dict.fromkeys((*first, *second)))
    x, y = under_every_name(first), under_every_name(second)
    return StateDifference(tuple(_compared(name, x.get(name), y.get(name)) for name in names))


def _spelled(file: Mapping[str, Stored], other: Mapping[str, Stored]) -> dict[str, Stored]:
    """The arrays of a file by the name that the other has, where the file has several for one."""
    return {
        next((n for n in (name, *stored.aliases) if n in other), name): stored
        for name, stored in file.items()
    }


def _compared(name: str, a: Stored | None, b: Stored | None) -> Difference:
    first, second = (None if x is None else f"{x.dtype} {x.shape}" for x in (a, b))
    if a is None or b is None:
        matters = not any(x.optional for x in (a, b) if x is not None)
        return Difference(name, first, second, None, False, matters)
    if a.shape != b.shape:
        return Difference(name, first, second, None, False)
    x, y = (np.asarray(stored.read(), order="C").reshape(-1) for stored in (a, b))
    equal, largest = x.dtype == y.dtype, 0.0
    for start in range(0, x.size, CHUNK):  # in pieces: what is made of a whole array is as large
        pieces = x[start : start + CHUNK], y[start : start + CHUNK]
        if x.dtype != y.dtype or pieces[0].tobytes() != pieces[1].tobytes():
            equal, largest = False, max(largest, _largest(*pieces))
    return Difference(name, first, second, largest, equal)


CHUNK = 2**17
"""How many numbers are compared at once: a MiB of float64."""


def _largest(x: Array, y: Array) -> float:
    wide = "complex128" if "c" in (x.dtype.kind, y.dtype.kind) else "float64"
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(x.astype(wide) - y.astype(wide))
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    difference = np.where(same, 0, np.where(np.isnan(difference), np.inf, difference))
    return float(difference.max(initial=0))
