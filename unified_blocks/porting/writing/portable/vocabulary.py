"""The vocabulary of portable blocks: the layers and operations of this library itself.

A word is one function, in the file of its family; see the vocabulary of PyTorch, which is used in
the same way. Layers here find out how many channels they take, and weights have PyTorch's names.
"""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Value
from unified_blocks.porting.writing.pieces import CHANNELS, Part, Piece, Slot, text
from unified_blocks.porting.writing.words import Vocabulary

PORTABLE = Vocabulary("a portable block", "torch or tensorflow", own_numbers=False)
writes = PORTABLE.writes


def channels(count: int) -> Slot:
    """A number of channels or features."""
    return Slot(count, CHANNELS)


def short(sizes: tuple[int, ...]) -> int | tuple[int, ...]:
    """A size for each axis; one number where all are the same."""
    return sizes[0] if len(set(sizes)) == 1 else sizes


def padding(pads: tuple[tuple[int, int], ...]) -> int | tuple[int | tuple[int, int], ...]:
    """Padding, as layers take it."""
    each = tuple(before if before == after else (before, after) for before, after in pads)
    same = len(set(each)) == 1 and isinstance(each[0], int)
    return each[0] if same and isinstance(each[0], int) else each


def whole(places: Value) -> Part:
    """Places as portable operations take them."""
    is_whole = places.dtype.startswith(("int", "uint"))
    return places if is_whole else text('ub.ops.astype({}, "int64")', places)


def zero(x: Value) -> Slot:
    """0 of the kind of some numbers."""
    return Slot(0 if x.dtype.startswith(("int", "uint")) else 0.0, "value")


def shaped(part: Part, y: Value, kept: int = 0) -> Piece:
    """A part in the shape of a value, right for each batch.

    Args:
        part: what is put in that shape.
        y: has it.
        kept: how many of the first axes are as they were.

    Raises:
        UnsupportedError: where two other sizes are of the batch.
    """
    unknown = [axis for axis in range(kept, y.rank) if y.grows(axis)]
    if len(unknown) > 1:
        raise UnsupportedError(f"a shape of {y.shape} has {len(unknown)} sizes of the batch")
    sizes: list[Part] = [
        text("ub.KEEP")
        if axis < kept and y.grows(axis)
        else text("-1")
        if axis in unknown
        else Slot(y.shape[axis], "size")
        for axis in range(y.rank)
    ]
    inside = ", ".join(["{}"] * len(sizes)) + ("," if len(sizes) == 1 else "")
    return text(f"ub.ops.reshape({{}}, ({inside}))", part, *sizes)
