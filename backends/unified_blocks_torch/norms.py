"""The normalisations of this library as PyTorch modules."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin

import unified_blocks as ub
from unified_blocks.layers.batch_norm import kept


def unknown(dtype) -> Any:
    """A parameter whose size is not known yet."""
    return nn.UninitializedParameter(dtype=dtype)  # type: ignore[call-arg]


@ub.LayerNorm.native("torch")
class LayerNorm(ub.LayerNorm, LazyModuleMixin, nn.LayerNorm):
    cls_to_become = None
    weight: Any
    bias: Any

    def __init__(self, *, in_units=None, epsilon=1e-5, dtype=None):
        LazyModuleMixin.__init__(self, 0, float(np.float32(epsilon)), dtype=dtype)
        self.weight = unknown(dtype)
        self.bias = unknown(dtype)
        if in_units is not None:
            self.initialize_parameters(torch.empty(0, in_units))

    def initialize_parameters(self, X):
        self.normalized_shape = X.shape[-1:]
        if self.has_uninitialized_params():
            with torch.no_grad():
                self.weight.materialize(self.normalized_shape)
                self.bias.materialize(self.normalized_shape)
                self.reset_parameters()

    def reset_parameters(self):
        if not self.has_uninitialized_params():
            super().reset_parameters()


@ub.BatchNorm.native("torch")
class BatchNorm(ub.BatchNorm, nn.LazyBatchNorm1d):
    running_mean: Any
    running_var: Any
    momentum: float
    # Stay a BatchNorm after the first call: PyTorch's own keeps the unbiased variance.
    cls_to_become = None  # type: ignore[assignment]

    def __init__(self, *, in_units=None, epsilon=1e-5, momentum=0.1, dtype=None):
        nn.LazyBatchNorm1d.__init__(
            self, float(np.float32(epsilon)), 1 - kept(momentum), dtype=dtype
        )
        self.num_batches_tracked = None  # the momentum does not depend on it
        if in_units is not None:
            self.initialize_parameters(torch.empty(0, in_units))

    def reset_running_stats(self):
        if not self.has_uninitialized_params():
            self.running_mean.zero_()
            self.running_var.fill_(1)

    def forward(self, X):
        mean, var = self.running_mean, self.running_var
        if not self.training:
            return self._normalized(X, mean, var)
        count = X.numel() // len(mean)
        if count > 1:
            # PyTorch adds the unbiased variance to what is kept, count / (count - 1) times as much
            # as is added here: that is undone afterwards.
            share = (count - 1) / count
            scaled = var / share
            Y = self._normalized(X, mean, scaled)
            torch.mul(scaled, share, out=var)
            return Y
        axes = (0, *range(2, X.ndim))  # of one value there is no unbiased variance
        batch_var, batch_mean = torch.var_mean(X.detach(), axes, correction=0)
        mean.lerp_(batch_mean, self.momentum)
        var.lerp_(batch_var, self.momentum)
        return self._normalized(X, None, None)

    def _normalized(self, X, mean, var):
        return torch.batch_norm(
            X, self.weight, self.bias, mean, var, self.training, self.momentum, self.eps, True
        )
