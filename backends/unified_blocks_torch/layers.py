"""The layers of this library as PyTorch modules, and the `nn.Linear` that the blocks use."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

import unified_blocks as ub

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": F.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


def linear(in_units: int | None, units: int, dtype: torch.dtype) -> nn.Linear:
    """`nn.Linear`, or `nn.LazyLinear` when the width of the input is left out."""
    if in_units is None:
        return nn.LazyLinear(units, dtype=dtype)
    return nn.Linear(in_units, units, dtype=dtype)


@ub.Dense.native("torch")
class Dense(ub.Dense, nn.LazyLinear):
    # Stay a Dense after the first call, activation and all.
    cls_to_become = None  # type: ignore[assignment]

    def __init__(self, units, *, in_units=None, activation=None, use_bias=True, dtype=None):
        nn.LazyLinear.__init__(self, units, bias=use_bias, dtype=dtype)
        self.activation = activation
        if in_units is not None:
            self.initialize_parameters(torch.empty(0, in_units))

    def forward(self, X):
        Y = super().forward(X)  # (*, units)
        return Y if self.activation is None else ACTIVATIONS[self.activation](Y)


@ub.ReLU.native("torch")
class ReLU(ub.ReLU, nn.ReLU):
    def __init__(self):
        super().__init__()
