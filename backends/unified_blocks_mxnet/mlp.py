from __future__ import annotations

import unified_blocks as ub
from unified_blocks_mxnet.compat import nn
from unified_blocks_mxnet.layers import dense


@ub.MLP.native("mxnet")
class MLP(ub.MLP, nn.HybridBlock):
    def __init__(self, hidden_units=256, out_units=10, *, in_units=None, dtype=None):
        nn.HybridBlock.__init__(self)
        self.hidden = dense(hidden_units, in_units=in_units, activation="relu", dtype=dtype)
        self.out = dense(out_units, in_units=hidden_units, dtype=dtype)

    def hybrid_forward(self, F, X):
        return self.out(self.hidden(X))
