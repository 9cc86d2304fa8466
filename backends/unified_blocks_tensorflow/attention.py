"""Attention that takes Keras' masks."""

from __future__ import annotations

import unified_blocks as ub
from unified_blocks_tensorflow.bind import TensorFlowModel


@ub.MultiHeadAttention.native("tensorflow")
class MultiHeadAttention(ub.MultiHeadAttention, TensorFlowModel):
    def call(self, query, key=None, value=None, mask=None, causal=False):
        if mask is not None and mask is mask_of(query):  # Keras found it there: (n, k), of keys
            mask = mask[:, None]
        return ub.MultiHeadAttention.forward(self, query, key, value, mask, causal)

    def compute_mask(self, query, previous_mask):
        return mask_of(query)  # of the output, whose places are those of the queries


def mask_of(X):
    """The places of a tensor that are no padding, as layers of Keras pass them on."""
    return getattr(X, "_keras_mask", None)
