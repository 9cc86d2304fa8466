from __future__ import annotations

import unified_blocks as ub
from unified_blocks_mxnet.compat import nn


@ub.NestMLP.native("mxnet")
class NestMLP(ub.NestMLP, nn.HybridBlock):
    def __init__(self, *, in_units=None, out_activation="relu", dtype=None):
        nn.HybridBlock.__init__(self)
        options = {"flatten": False, "dtype": dtype}
        self.net = nn.HybridSequential()
        self.net.add(
            nn.Dense(64, activation="relu", in_units=in_units or 0, **options),
            nn.Dense(32, activation="relu", in_units=64, **options),
        )
        self.dense = nn.Dense(16, activation=out_activation, in_units=32, **options)

    def hybrid_forward(self, F, X):
        return self.dense(self.net(X))
