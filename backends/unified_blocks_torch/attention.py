"""Attention over `scaled_dot_product_attention`, PyTorch's fused kernel."""

from __future__ import annotations

from torch import nn

import unified_blocks as ub
from unified_blocks_torch.neural_ops import scaled_dot_product_attention as attend


@ub.MultiHeadAttention.native("torch")
class MultiHeadAttention(ub.MultiHeadAttention, nn.Module):
    def forward(self, query, key=None, value=None, mask=None, causal=False):
        key = query if key is None else key
        value = key if value is None else value
        if mask is not None:
            mask = self.for_heads(mask, query, key)
        heads = self.num_heads, self.head_units
        Q = self.query(query).unflatten(-1, heads).transpose(1, 2)  # (n, heads, q, head_units)
        K = self.key(key).unflatten(-1, heads).transpose(1, 2)
        V = self.value(value).unflatten(-1, heads).transpose(1, 2)
        Y = attend(Q, K, V, mask, causal, self.scale, self.drop)
        return self.out(Y.transpose(1, 2).flatten(-2))
