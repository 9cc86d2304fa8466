from __future__ import annotations

from torch import nn
from torch.nn import functional as F

import unified_blocks as ub
from unified_blocks_torch.layers import dense


@ub.MLP.native("torch")
class MLP(ub.MLP, nn.Module):
    def __init__(self, hidden_units=256, out_units=10, *, in_units=None, dtype=None):
        nn.Module.__init__(self)
        self.hidden = dense(hidden_units, in_units=in_units, dtype=dtype)
        self.out = dense(out_units, in_units=hidden_units, dtype=dtype)

    def forward(self, X):
        return self.out(F.relu(self.hidden(X)))
