from __future__ import annotations

from collections import OrderedDict

from torch import nn

import unified_blocks as ub
from unified_blocks_torch.layers import ACTIVATIONS, dense


@ub.NestMLP.native("torch")
class NestMLP(ub.NestMLP, nn.Module):
    def __init__(self, *, in_units=None, out_activation="relu", dtype=None):
        nn.Module.__init__(self)
        self.net = nn.Sequential(
            OrderedDict(  # named, so that the second layer is net.1 and not net.2
                [
                    ("0", dense(64, in_units=in_units, dtype=dtype)),
                    ("relu0", nn.ReLU()),
                    ("1", dense(32, in_units=64, dtype=dtype)),
                    ("relu1", nn.ReLU()),
                ]
            )
        )
        self.dense = dense(16, in_units=32, dtype=dtype)
        self.out_activation = out_activation

    def forward(self, X):
        Y = self.dense(self.net(X))
        return Y if self.out_activation is None else ACTIVATIONS[self.out_activation](Y)
