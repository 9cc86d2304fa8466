"""Attention over `batch_dot`, as MXNet has no fused kernel of this meaning."""

from __future__ import annotations

import unified_blocks as ub
from unified_blocks_mxnet.compat import nn
from unified_blocks_mxnet.neural_ops import scaled_dot_product_attention as attend


@ub.MultiHeadAttention.native("mxnet")
class MultiHeadAttention(ub.MultiHeadAttention, nn.HybridBlock):
    def hybrid_forward(self, F, query, key=None, value=None, mask=None, causal=False):
        key = query if key is None else key
        value = key if value is None else value
        if mask is not None:
            mask = self.for_heads(mask, query, key)
        heads = (-2, -2, self.num_heads, self.head_units)  # -2 keeps a size
        Q, K, V = (
            F.np.transpose(F.npx.reshape(X, heads), (0, 2, 1, 3))  # (n, heads, t, head_units)
            for X in (self.query(query), self.key(key), self.value(value))
        )
        Y = attend(Q, K, V, mask, causal, self.scale, self.drop)
        return self.out(F.npx.reshape(F.np.transpose(Y, (0, 2, 1, 3)), (-2, -2, -1)))
