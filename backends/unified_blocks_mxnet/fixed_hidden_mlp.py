from __future__ import annotations

import unified_blocks as ub
from unified_blocks.blocks.fixed_hidden_mlp import halving_error
from unified_blocks_mxnet.compat import mx, nn
from unified_blocks_mxnet.halving import halved
from unified_blocks_mxnet.layers import dense
from unified_blocks_mxnet.ops import check_finite


@ub.FixedHiddenMLP.native("mxnet")
class FixedHiddenMLP(ub.FixedHiddenMLP, nn.HybridBlock):
    def __init__(self, units=20, *, activation="relu", dtype=None):
        nn.HybridBlock.__init__(self)
        self.rand_weight = ub.Constant(shape=(units, units), initializer="uniform", dtype=dtype)
        self.dense = dense(units, in_units=units, activation=activation, dtype=dtype)

    def hybrid_forward(self, F, X, rand_weight):
        H = self.dense(X)
        H = F.npx.relu(F.np.dot(H, rand_weight) + 1)
        H = self.dense(H)  # the same layer again: its parameters are shared
        if isinstance(H, mx.sym.Symbol):
            # the loop below, for a graph that has none
            return F.np.sum(halved(H, self.dense.weight.dtype))
        while True:
            norm, half = abs(H).sum(), H / 2  # MXNet has this to do while the norm is read
            if check_finite(norm, halving_error) <= 1:
                return H.sum()
            H = half
