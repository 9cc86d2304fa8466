"""The arrays of two outputs, or two inputs, paired by what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from unified_blocks.equivalence.watching import Call, with_leaves
from unified_blocks.models.outputs import Leaf, paired, shown
from unified_blocks.reference.rows import Row, What, compared, rows_of


@dataclass(frozen=True)
class Common:
    """What two models both give, in the order of the first, and what one of them lacks.

    Attributes:
        names: of what both give.
        a, b: the leaves that have these names.
        apart: the name and the leaf of what only one gives, and whether it is the first.
    """

    names: list[str]
    a: list[Leaf]
    b: list[Leaf]
    apart: list[tuple[str, Leaf, bool]]

    def missing(self, what: What) -> list[Row]:
        """A row for each leaf that one lacks."""
        return [
            compared(name, what, *((leaf.array, None) if first else (None, leaf.array)))
            for name, leaf, first in self.apart
        ]

    def rows(self, name: str, what: What) -> list[Row]:
        dtypes = [leaf.dtype for leaf in self.a], [leaf.dtype for leaf in self.b]
        arrays = [leaf.array for leaf in self.a], [leaf.array for leaf in self.b]
        return [*rows_of(name, what, *arrays, dtypes, self.names), *self.missing(what)]


def in_common(name: str, a: Sequence[Leaf], b: Sequence[Leaf]) -> Common:
    """The leaves of two outputs by their places; one that is alone has the name itself."""
    found = Common([], [], [], [])
    for i, j in paired([leaf.place for leaf in a], [leaf.place for leaf in b]):
        x, y = (None if i is None else a[i]), (None if j is None else b[j])
        if x is not None and y is not None:
            alone = len(a) == len(b) == 1
            found.names.append(name if alone else f"{name}{shown(x.place)}")
            found.a.append(_in_dtype_of(y, x))
            found.b.append(_in_dtype_of(x, y))
        elif x is not None:
            found.apart.append((f"{name}{shown(x.place)}", x, True))
        elif y is not None:
            found.apart.append((f"{name}{shown(y.place)}", y, False))
    return found


def _in_dtype_of(other: Leaf, leaf: Leaf) -> Leaf:
    """A leaf as it is, or a number of Python's, which has no dtype, in that of the other."""
    array = other.array
    if not leaf.plain or other.plain or not np.can_cast(leaf.array.dtype, array.dtype, "same_kind"):
        return leaf
    return replace(leaf, array=leaf.array.astype(array.dtype), dtype=other.dtype)


def calls_in_common(a: Call, b: Call) -> tuple[Call, Call, Common, Common]:
    """Two calls with what both take and give alone; and all of their inputs, and of their outputs.

    What one gives and the other does not is no difference of the call: it is one where it is used,
    or in the output of the model.
    """
    taken, given = in_common(a.name, a.taken, b.taken), in_common(a.name, a.given, b.given)
    if given.names:
        given = replace(given, apart=[])
    return with_leaves(a, taken.a, given.a), with_leaves(b, taken.b, given.b), taken, given
