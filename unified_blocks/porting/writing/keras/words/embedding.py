"""Embeddings."""

from __future__ import annotations

from unified_blocks.porting.operations.embedding import Embedding
from unified_blocks.porting.writing.keras.expressions import Call
from unified_blocks.porting.writing.keras.writer import Writing, array_of, writes


@writes(Embedding)
def embedding(w: Writing) -> None:
    x, weight = w.inputs
    array = array_of(weight)
    layer = w.layer("layers.Embedding", *array.shape, weights=[("embeddings", weight, array)])
    w.give(Call(layer, (w.x,)), (*w.order, x.rank))
