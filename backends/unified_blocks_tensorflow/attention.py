"""Attention that passes Keras' masks on."""

from __future__ import annotations

import tensorflow as tf

import unified_blocks as ub
from unified_blocks_tensorflow.bind import TensorFlowModel
from unified_blocks_tensorflow.neural_ops import scaled_dot_product_attention as attend
from unified_blocks_tensorflow.recurrent import sizes_of


@ub.MultiHeadAttention.native("tensorflow")
class MultiHeadAttention(ub.MultiHeadAttention, TensorFlowModel):
    def call(self, query, key=None, value=None, mask=None, causal=False):
        key = query if key is None else key
        value = key if value is None else value
        if mask is not None:
            mask = self.for_heads(mask, query, key)
        Q, K, V = (
            tf.reshape(X, (*sizes_of(X)[:2], self.num_heads, self.head_units))
            for X in (self.query(query), self.key(key), self.value(value))
        )
        Y = attend(Q, K, V, mask, causal, self.scale, self.drop, apart=True)
        units = self.num_heads * self.head_units
        return self.out(tf.reshape(Y, (*sizes_of(Y)[:2], units)))

    def compute_mask(self, query, previous_mask):
        """That of the queries, as Keras' own attention has it, whatever mask it was called with."""
        return getattr(query, "_keras_mask", None)
