"""Attention that passes Keras' masks on."""

from __future__ import annotations

import unified_blocks as ub
from unified_blocks_tensorflow.bind import TensorFlowModel


@ub.MultiHeadAttention.native("tensorflow")
class MultiHeadAttention(ub.MultiHeadAttention, TensorFlowModel):
    def call(self, query, key=None, value=None, mask=None, causal=False):
        return ub.MultiHeadAttention.forward(self, query, key, value, mask, causal)

    def compute_mask(self, query, previous_mask):
        """That of the queries, as Keras' own attention has it, whatever mask it was called with."""
        return getattr(query, "_keras_mask", None)
