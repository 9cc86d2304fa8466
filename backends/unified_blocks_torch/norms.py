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
        mean, kept, training = self.running_mean, self.running_var, self.training
        var, excess = kept, 0.0
        if training:
            # PyTorch adds the unbiased variance to what is kept, count / (count - 1) times as much
            # as is added here; of one value it has none.
            count = X.numel() // len(mean)
            excess = 1 / (count - 1) if count > 1 else 0.0
            var = torch.add(kept, kept, alpha=excess)
        Y = torch.batch_norm(
            X, self.weight, self.bias, mean, var, training, self.momentum, self.eps, True
        )
        if training and self.momentum:
            if count > 1:
                kept.zero_().add_(var, alpha=1 / (1 + excess))
            else:
                kept.mul_(1 - self.momentum)
        return Y
