"""Embeddings."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.embedding import Embedding
from unified_blocks.porting.writing.pieces import Slot, call
from unified_blocks.porting.writing.portable.vocabulary import channels, writes
from unified_blocks.porting.writing.words import Word, named, own_weights


@writes(Embedding)
def embedding(operation: Embedding, node: Node) -> Word:
    x, weight = node.inputs
    if not own_weights(node, 1):
        raise UnsupportedError("the rows of an embedding must be a parameter; they are computed")
    count, units = weight.shape
    layer = call("ub.Embedding", Slot(count, "input_dim"), channels(units))
    if x.dtype.startswith(("int", "uint")):
        return Word(layer, named(weight=weight))
    return Word(layer, named(weight=weight), called='{}(ub.ops.astype({}, "int64"))')
