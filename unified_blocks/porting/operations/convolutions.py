"""Convolutions, and the affine maps of vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.layers.convolutions import convolved
from unified_blocks.layers.geometry import Pads, lengths
from unified_blocks.layers.images import over_space
from unified_blocks.layers.transposed import spread_out
from unified_blocks.porting.operations.operation import Given, Operation
from unified_blocks.types import Array, Shape


@dataclass(frozen=True)
class Linear(Operation):
    """`x Wᵀ + b`, of the last axis. Takes x, a weight `(units, features)`, perhaps a bias."""

    def infer(self, *inputs: Any) -> Given:
        x, weight, *_ = inputs
        if x.shape[-1] != weight.shape[1]:
            raise ValueError(f"a weight of {weight.shape} for {x.shape}")
        return [((*x.shape[:-1], weight.shape[0]), x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        x, weight, *bias = arrays
        y = x @ weight.T
        return np.asarray(y + bias[0] if bias else y)


@dataclass(frozen=True)
class Convolution(Operation):
    """A convolution of `(n, c, *space)`.

    Takes x, a weight `(channels, c / groups, *kernel)`, perhaps a bias.

    Attributes:
        strides, dilation: of the windows, for each axis of space.
        padding: how many zeros are before and after, for each axis of space.
        groups: into how many the channels are divided.
    """

    strides: Shape
    padding: Pads
    dilation: Shape
    groups: int = 1

    def infer(self, *inputs: Any) -> Given:
        x, weight, *_ = inputs
        if x.shape[1] != weight.shape[1] * self.groups:
            raise ValueError(f"a weight of {weight.shape} in {self.groups} groups for {x.shape}")
        space = lengths(x.shape[2:], weight.shape[2:], self.strides, self.padding, self.dilation)
        return [((x.shape[0], weight.shape[0], *map(int, space)), x.dtype)]  # type: ignore[arg-type]

    def compute(self, *arrays: Array) -> Array:
        x, weight, *bias = arrays
        y = convolved(x, weight, self.strides, self.padding, self.dilation, self.groups)
        return np.asarray(y + over_space(bias[0], x.ndim - 2) if bias else y)


@dataclass(frozen=True)
class ConvolutionTranspose(Operation):
    """The transpose of a convolution, of `(n, c, *space)`.

    Takes x, a weight `(c, channels / groups, *kernel)`, perhaps a bias.

    Attributes:
        strides, dilation: of the windows, for each axis of space.
        padding: how much is left out before and after, for each axis of space.
        more: how much longer each axis is at its end.
        groups: into how many the channels are divided.
    """

    strides: Shape
    padding: Pads
    more: Shape
    dilation: Shape
    groups: int = 1

    def infer(self, *inputs: Any) -> Given:
        x, weight, *_ = inputs
        if x.shape[1] != weight.shape[0] or x.shape[1] % self.groups:
            raise ValueError(f"a weight of {weight.shape} in {self.groups} groups for {x.shape}")
        axes = zip(
            x.shape[2:], weight.shape[2:], self.strides, self.padding, self.more, self.dilation,
            strict=True,
        )  # fmt: skip
        space = tuple(
            (n - 1) * s - before - after + (k - 1) * d + 1 + more
            for n, k, s, (before, after), more, d in axes
        )
        return [((x.shape[0], weight.shape[1] * self.groups, *space), x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        x, weight, *bias = arrays
        y = spread_out(x, weight, self.strides, self.padding, self.more, self.dilation, self.groups)
        return np.asarray(y + over_space(bias[0], x.ndim - 2) if bias else y)
