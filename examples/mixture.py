"""A mixture of experts with soft gating (Jacobs et al., 1991)."""

import unified_blocks as ub
from unified_blocks import ops


class Mixture(ub.Block):
    """`Σ gate(X)ᵢ expertᵢ(X)`, the gate a softmax; `(n, d)` to `(n, units)`."""

    def __init__(self, units, experts=4, hidden=16):
        super().__init__()
        self.gate = ub.MySequential(ub.Dense(experts), ub.Softmax())
        self.experts = [ub.MLP(hidden, units) for _ in range(experts)]

    def forward(self, X):
        outputs = ops.stack([expert(X) for expert in self.experts], axis=1)  # (n, experts, units)
        weights = ops.expand_dims(self.gate(X), axis=-1)  # (n, experts, 1)
        return ops.sum(outputs * weights, axis=1)
