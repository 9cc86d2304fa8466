"""A pre-norm Transformer encoder block with multi-head attention (Vaswani et al., 2017)."""

import unified_blocks as ub
from unified_blocks import ops


class Attention(ub.Block):
    """Multi-head self-attention, `softmax(Q Kᵀ / √d) V`; input and output `(n, t, units)`."""

    def __init__(self, units, heads):
        super().__init__()
        self.heads = heads
        self.scale = ub.Constant((units // heads) ** -0.5)
        self.query, self.key, self.value, self.out = (ub.Dense(units) for _ in range(4))

    def split(self, X):  # (n, t, units) to (n, heads, t, units / heads)
        X = ops.reshape(X, (ub.KEEP, ub.KEEP, self.heads, -1))
        return ops.permute_dims(X, (0, 2, 1, 3))

    def forward(self, X):
        Q, K, V = self.split(self.query(X)), self.split(self.key(X)), self.split(self.value(X))
        A = ops.softmax(ops.matmul(Q, ops.matrix_transpose(K)) * self.scale)
        H = ops.permute_dims(ops.matmul(A, V), (0, 2, 1, 3))
        return self.out(ops.reshape(H, (ub.KEEP, ub.KEEP, -1)))


class EncoderBlock(ub.Block):
    """`Y = X + attention(norm(X))`, then `Y + mlp(norm(Y))`."""

    def __init__(self, units, heads, hidden):
        super().__init__()
        self.norms = ub.LayerNorm(), ub.LayerNorm()
        self.attention = Attention(units, heads)
        self.mlp = ub.MySequential(ub.Dense(hidden, activation="gelu"), ub.Dense(units))

    def forward(self, X):
        X = X + self.attention(self.norms[0](X))
        return X + self.mlp(self.norms[1](X))
