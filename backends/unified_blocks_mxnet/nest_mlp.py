from __future__ import annotations

import unified_blocks as ub
from unified_blocks_mxnet.compat import nn
from unified_blocks_mxnet.layers import dense


@ub.NestMLP.native("mxnet")
class NestMLP(ub.NestMLP, nn.HybridBlock):
    def __init__(self, *, in_units=None, out_activation="relu", dtype=None):
        nn.HybridBlock.__init__(self)
        self.net = nn.HybridSequential()
        self.net.add(
            dense(64, in_units=in_units, activation="relu", dtype=dtype),
            dense(32, in_units=64, activation="relu", dtype=dtype),
        )
        self.dense = dense(16, in_units=32, activation=out_activation, dtype=dtype)

    def hybrid_forward(self, F, X):
        return self.dense(self.net(X))
