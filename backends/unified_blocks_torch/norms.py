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
        epsilon = float(np.float32(epsilon))
        if in_units is None:
            LazyModuleMixin.__init__(self, 0, epsilon, dtype=dtype)
            self.weight = unknown(dtype)
            self.bias = unknown(dtype)
        else:
            nn.LayerNorm.__init__(self, in_units, epsilon, dtype=dtype)

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
    momentum: float | None
    # Stay a BatchNorm after the first call: PyTorch's own keeps the unbiased variance.
    cls_to_become = None  # type: ignore[assignment]

    def __init__(self, *, in_units=None, epsilon=1e-5, momentum=0.1, dtype=None):
        options: Any = {"eps": float(np.float32(epsilon)), "momentum": 1 - kept(momentum)}
        if in_units is None:
            nn.LazyBatchNorm1d.__init__(self, **options, dtype=dtype)
        else:
            nn.BatchNorm1d.__init__(self, in_units, **options, dtype=dtype)

    def initialize_parameters(self, X):
        super().initialize_parameters(X)
        self.num_features = X.shape[1]  # PyTorch's own says 0 when a state was loaded before

    def reset_running_stats(self):
        if not self.has_uninitialized_params():
            super().reset_running_stats()

    def forward(self, X):
        mean, kept, training = self.running_mean, self.running_var, self.training
        momentum = 0.0 if self.momentum is None else self.momentum
        var, excess = kept, 0.0
        if training:
            batches = self.num_batches_tracked
            if batches is not None:
                batches.add_(1)
                if self.momentum is None:  # the mean over all batches: `update_bn` asks for it
                    momentum = 1 / float(batches)
            # PyTorch adds the unbiased variance to what is kept, count / (count - 1) times as much
            # as is added here; of one value it has none.
            count = X.numel() // len(mean)
            excess = 1 / (count - 1) if count > 1 else 0.0
            var = torch.add(kept, kept, alpha=excess)
        Y = torch.batch_norm(
            X, self.weight, self.bias, mean, var, training, momentum, self.eps, True
        )
        if training and momentum:
            if count > 1:
                kept.zero_().add_(var, alpha=1 / (1 + excess))
            else:
                kept.mul_(1 - momentum)
        return Y
