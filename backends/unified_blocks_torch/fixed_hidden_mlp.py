from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

import unified_blocks as ub
from unified_blocks.blocks.fixed_hidden_mlp import halving_error
from unified_blocks_torch.halving import halved
from unified_blocks_torch.layers import ACTIVATIONS, dense
from unified_blocks_torch.ops import check_finite


@ub.FixedHiddenMLP.native("torch")
class FixedHiddenMLP(ub.FixedHiddenMLP, nn.Module):
    def __init__(self, units=20, *, activation="relu", dtype=None):
        nn.Module.__init__(self)
        self.register_buffer("rand_weight", torch.rand(units, units, dtype=dtype))
        self.dense = dense(units, in_units=units, dtype=dtype)
        self.activation = activation

    def shared(self, X):
        Y = self.dense(X)
        return Y if self.activation is None else ACTIVATIONS[self.activation](Y)

    def forward(self, X):
        H = self.shared(X)
        H = F.relu(H @ self.rand_weight + 1)
        H = self.shared(H)  # the same layer again: its parameters are shared
        if torch.compiler.is_compiling() or torch.jit.is_tracing():  # type: ignore[attr-defined]
            return halved(H, H.dtype).sum()  # the loop below, for a graph that has none
        while check_finite(H.abs().sum(), halving_error) > 1:
            H = H / 2
        return H.sum()
