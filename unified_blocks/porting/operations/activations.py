"""Activations that have options, and softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Same, axis_of
from unified_blocks.reference.numpy_ops import softmax
from unified_blocks.types import Array


@dataclass(frozen=True)
class LeakyRelu(Same):
    """`x`, and `slope · x` below zero."""

    slope: float

    def compute(self, *arrays: Array) -> Array:
        (x,) = arrays
        return np.where(x > 0, x, self.slope * x)


@dataclass(frozen=True)
class Elu(Same):
    """`x`, and `alpha · (exp(x) - 1)` below zero."""

    alpha: float

    def compute(self, *arrays: Array) -> Array:
        (x,) = arrays
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))


@dataclass(frozen=True)
class PRelu(Same):
    """`x`, and `slope · x` below zero. Takes x and the slopes: `(c,)`, or `(1,)` for all."""

    def infer(self, *inputs: Any) -> Given:
        x, slope = inputs
        if slope.shape not in ((1,), x.shape[1:2]):
            raise ValueError(f"slopes of {slope.shape} for {x.shape}")
        return super().infer(*inputs)

    def compute(self, *arrays: Array) -> Array:
        x, slope = arrays
        return np.where(x > 0, x, slope.reshape(-1, *(1,) * (x.ndim - 2)) * x)


@dataclass(frozen=True)
class Softmax(Same):
    """`exp(x) / Σ exp(x)` along an axis.

    Attributes:
        axis: counted from the front.
        log: whether the logarithm of it is wanted.
    """

    axis: int
    log: bool = False

    def infer(self, *inputs: Any) -> Given:
        axis_of(self.axis, len(inputs[0].shape))
        return super().infer(*inputs)

    def compute(self, *arrays: Array) -> Array:
        (x,) = arrays
        if not self.log:
            return softmax(x, self.axis)
        low = x - x.max(self.axis, keepdims=True)
        return np.asarray(low - np.log(np.exp(low).sum(self.axis, keepdims=True)))
