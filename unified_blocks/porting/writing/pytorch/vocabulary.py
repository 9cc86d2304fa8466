"""The vocabulary of PyTorch: what each operation is called there.

A word is one function, in the file of its family, which gives the layer that a node is, or the
expression, or both; a layer is used where layers stand in a row::

    @writes(Clip)
    def clip(operation: Clip, node: Node) -> Word:
        (x,) = node.inputs
        low, high = Slot(operation.low, "low"), Slot(operation.high, "high")
        return Word(
            layer=call("nn.Hardtanh", low, high),
            expression=text("{}.clamp({}, {})", x, low, high),
        )

What `call` and `text` are given as numbers becomes an argument where it differs between blocks,
named by its hint; `CHANNELS` is the hint of all numbers of channels, of which some may be multiples
of others. A layer owns parameters: `weights=named(weight=…, bias=…)`, with the names that PyTorch
gives them. Where a weight is computed by other nodes, there is an expression only.
"""

from __future__ import annotations

from unified_blocks.porting.graph import Node, Value
from unified_blocks.porting.writing.pieces import CHANNELS, Piece, Slot, call
from unified_blocks.porting.writing.words import Vocabulary, Word, named, own_weights

PYTORCH = Vocabulary("PyTorch")
writes = PYTORCH.writes


def channels(count: int) -> Slot:
    """A number of channels or features."""
    return Slot(count, CHANNELS)


def short(sizes: tuple[int, ...]) -> int | tuple[int, ...]:
    """A size for each axis; one number where all are the same."""
    return sizes[0] if len(set(sizes)) == 1 else sizes


def from_end(axis: int, value: Value) -> int:
    """An axis as it is written: the last one is -1."""
    return -1 if axis == value.rank - 1 else axis


def dtype_of(node: Node) -> str:
    """The dtype of what a node gives, as PyTorch writes it."""
    return f"torch.{node.output.dtype}"


__all__ = [
    "PYTORCH",
    "Piece",
    "Slot",
    "Word",
    "call",
    "channels",
    "dtype_of",
    "from_end",
    "named",
    "own_weights",
    "short",
    "writes",
]
