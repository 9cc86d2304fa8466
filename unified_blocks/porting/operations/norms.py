"""Norms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation, axis_of
from unified_blocks.types import Array


@dataclass(frozen=True)
class BatchNorm(Operation):
    """The norm of each channel over a batch; here with the statistics that were counted.

    Takes x, gamma, beta, running mean and running variance, each `(c,)`.

    Attributes:
        epsilon: is added to the variance.
        momentum: the share of the statistics that stays in a step of training.
        axis: of the channels.
        frozen: whether training, too, uses the counted statistics.
    """

    epsilon: float
    momentum: float
    axis: int = 1
    frozen: bool = False

    def infer(self, *inputs: Any) -> Given:
        x, *vectors = inputs
        channels = x.shape[axis_of(self.axis, len(x.shape))]
        if any(vector.shape != (channels,) for vector in vectors):
            raise ValueError(f"{[v.shape for v in vectors]} for {channels} channels")
        return [(x.shape, x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        x, *vectors = arrays
        shape = [1] * x.ndim
        shape[self.axis] = -1
        gamma, beta, mean, variance = (vector.reshape(shape) for vector in vectors)
        return np.asarray((x - mean) / np.sqrt(variance + self.epsilon) * gamma + beta)


@dataclass(frozen=True)
class LayerNorm(Operation):
    """The norm of the last axis. Takes x, gamma and beta, each `(features,)`.

    Attributes:
        epsilon: is added to the variance.
    """

    epsilon: float

    def infer(self, *inputs: Any) -> Given:
        x, *vectors = inputs
        if any(vector.shape != x.shape[-1:] for vector in vectors):
            raise ValueError(f"{[v.shape for v in vectors]} for {x.shape[-1]} features")
        return [(x.shape, x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        x, gamma, beta = arrays
        centred = x - x.mean(-1, keepdims=True)
        variance = np.square(centred).mean(-1, keepdims=True)
        return np.asarray(centred / np.sqrt(variance + self.epsilon) * gamma + beta)
