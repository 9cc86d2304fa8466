"""The layers of this library as PyTorch modules, and the `nn.Linear` that the blocks use."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

import unified_blocks as ub

ACTIVATIONS = {"relu": F.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}


def linear(in_units: int | None, units: int, dtype: torch.dtype) -> nn.Linear:
    """`nn.Linear`, or `nn.LazyLinear` when the width of the input is left out."""
    if in_units is None:
        return nn.LazyLinear(units, dtype=dtype)
    return nn.Linear(in_units, units, dtype=dtype)


class Dense(ub.Dense, nn.LazyLinear):
    cls_to_become = None  # stay a Dense after the first call, activation and all

    def __init__(self, units, *, in_units=None, activation=None, use_bias=True, dtype=None):
        super().__init__(units, bias=use_bias, dtype=dtype)
        self.activation = activation
        if in_units is not None:
            self.initialize_parameters(torch.empty(0, in_units))

    def forward(self, X):
        Y = super().forward(X)  # (*, units)
        return Y if self.activation is None else ACTIVATIONS[self.activation](Y)


class ReLU(ub.ReLU, nn.ReLU):
    def __init__(self):
        super().__init__()
