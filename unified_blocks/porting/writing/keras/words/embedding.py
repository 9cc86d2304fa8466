"""Embeddings."""

from __future__ import annotations

from unified_blocks.porting.operations.convolutions import Linear
from unified_blocks.porting.operations.embedding import Embedding
from unified_blocks.porting.writing.keras.expressions import Call
from unified_blocks.porting.writing.keras.names import layer_key
from unified_blocks.porting.writing.keras.writer import Writing, array_of, writes


@writes(Embedding)
def embedding(w: Writing) -> None:
    x, weight = w.inputs
    array = array_of(weight)
    kind = "layers.Embedding"
    if any(isinstance(node.operation, Linear) for node in w.writer.users[weight]):
        kind = "layers.ReversibleEmbedding"
        w.writer.calls[layer_key(w.node)] = 2  # the other way round, too
    layer = w.layer(kind, *array.shape, weights=[("embeddings", weight, array)])
    w.give(Call(layer, (w.x,)), (*w.order, x.rank))
