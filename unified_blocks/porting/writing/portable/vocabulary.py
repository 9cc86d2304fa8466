"""The vocabulary of portable blocks: the layers and operations of this library itself.

A word is one function, in the file of its family; see the vocabulary of PyTorch, which is used in
the same way. Layers here find out how many channels they take, and weights have PyTorch's names.
"""

from __future__ import annotations

from unified_blocks.porting.writing.pieces import CHANNELS, Slot
from unified_blocks.porting.writing.words import Vocabulary

PORTABLE = Vocabulary("a portable block")
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
