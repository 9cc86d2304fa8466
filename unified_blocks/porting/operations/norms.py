"""Norms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.layers.response_norm import reach
from unified_blocks.porting.operations.operation import Given, Operation, Same, axis_of
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
class GroupNorm(Operation):
    """The norm of each group of channels of each image. Takes x, gamma and beta, each `(c,)`.

    Attributes:
        groups: into how many the channels are divided.
        epsilon: is added to the variance.
    """

    groups: int
    epsilon: float

    def infer(self, *inputs: Any) -> Given:
        x, *vectors = inputs
        if x.shape[1] % self.groups or any(v.shape != x.shape[1:2] for v in vectors):
            raise ValueError(f"{[v.shape for v in vectors]} in {self.groups} groups for {x.shape}")
        return [(x.shape, x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        x, *vectors = arrays
        apart = x.reshape(len(x), self.groups, -1)
        centred = apart - apart.mean(-1, keepdims=True)
        variance = (centred**2).mean(-1, keepdims=True)
        normal = (centred / np.sqrt(variance + self.epsilon)).reshape(x.shape)
        gamma, beta = (vector.reshape(-1, *(1,) * (x.ndim - 2)) for vector in vectors)
        return np.asarray(normal * gamma + beta)


@dataclass(frozen=True)
class InstanceNorm(Operation):
    """The norm of each channel of each image. Takes x, gamma and beta, each `(c,)`.

    Attributes:
        epsilon: is added to the variance.
    """

    epsilon: float

    def infer(self, *inputs: Any) -> Given:
        return GroupNorm(inputs[0].shape[1], self.epsilon).infer(*inputs)

    def compute(self, *arrays: Array) -> Array:
        return GroupNorm(arrays[0].shape[1], self.epsilon).compute(*arrays)


@dataclass(frozen=True)
class ResponseNorm(Same):
    """`x / (k + alpha / size · Σ x²)^beta`, the sum over `size` channels around each.

    Attributes:
        size: how many channels are summed; of an even number, one more before than after.
        alpha, beta, k: of the formula.
    """

    size: int
    alpha: float
    beta: float
    k: float

    def compute(self, *arrays: Array) -> Array:
        (x,) = arrays
        around = np.pad(x**2, ((0, 0), reach(self.size), *((0, 0),) * (x.ndim - 2)))
        view: Any = np.lib.stride_tricks.sliding_window_view
        total = view(around, self.size, axis=1).sum(-1)
        return np.asarray(x * (self.k + self.alpha / self.size * total) ** -self.beta)


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
