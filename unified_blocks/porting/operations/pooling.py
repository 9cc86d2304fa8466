"""Pooling: one number of each window of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.layers.convolutions import windows_of
from unified_blocks.layers.geometry import Pads, beyond, lengths
from unified_blocks.porting.operations.operation import Given, Operation
from unified_blocks.types import Array, Shape


@dataclass(frozen=True)
class Pool(Operation):
    """Base of the operations that take one number of each window of `(n, c, *space)`.

    Attributes:
        size, strides: of the windows, for each axis of space.
        padding: what is before and after, for each axis of space.
        over: `padding`, and at the end what the last windows reach beyond it, which is never
            counted: where the number of windows is rounded down, the same.
    """

    size: Shape
    strides: Shape
    padding: Pads
    over: Pads

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        space = lengths(x.shape[2:], self.size, self.strides, self.over, (1,) * len(self.size))
        return [((*x.shape[:2], *map(int, space)), x.dtype)]  # type: ignore[arg-type]

    def windows(self, x: Array, over: Pads, fill: float = 0) -> Array:
        """What each window sees: `(n, c, *out, *window)`."""
        return windows_of(x, self.size, self.strides, over, (1,) * len(self.size), fill)

    @property
    def axes(self) -> Shape:
        """Those of a window."""
        return tuple(range(-len(self.size), 0))


@dataclass(frozen=True)
class MaxPool(Pool):
    """The largest number of each window; outside of the image is −∞."""

    def compute(self, *arrays: Array) -> Array:
        return np.asarray(self.windows(arrays[0], self.over, -np.inf).max(self.axes))


@dataclass(frozen=True)
class AvgPool(Pool):
    """The mean of each window.

    Attributes:
        count_include_pad: whether the zeros of `padding` are counted.
    """

    count_include_pad: bool = True

    def compute(self, *arrays: Array) -> Array:
        (x,) = arrays
        total = self.windows(x, self.over).sum(self.axes)
        counts, over = np.ones((1, 1, *x.shape[2:]), x.dtype), self.over
        if self.count_include_pad:
            counts = np.pad(counts, ((0, 0), (0, 0), *self.padding), constant_values=1)
            over = beyond(self.over, self.padding)
        return np.asarray(total / np.maximum(self.windows(counts, over).sum(self.axes), 1))


@dataclass(frozen=True)
class SumPool(Pool):
    """The sum of each window; outside of the image are zeros."""

    def compute(self, *arrays: Array) -> Array:
        return np.asarray(self.windows(arrays[0], self.over).sum(self.axes))


@dataclass(frozen=True)
class AdaptiveAvgPool(Operation):
    """Means of as many parts of an image as are wanted, all about as large.

    Part `i` of `m` along an axis of length `n` is from `⌊i n / m⌋` to `⌈(i + 1) n / m⌉`.

    Attributes:
        size: how many, for each axis of space.
    """

    size: Shape

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        if len(self.size) != len(x.shape) - 2:
            raise ValueError(f"{self.size} parts of {x.shape}")
        return [((*x.shape[:2], *self.size), x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        (x,) = arrays
        for axis, m in enumerate(self.size, 2):
            n = x.shape[axis]
            parts = [range(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
            x = np.stack([x.take(part, axis).mean(axis) for part in parts], axis)
        return x


@dataclass(frozen=True)
class GlobalPool(Operation):
    """One number of each channel, `(n, c, 1, …)`.

    Attributes:
        function: `"max"` or `"avg"`.
    """

    function: str

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        return [((*x.shape[:2], *(1,) * (len(x.shape) - 2)), x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        (x,) = arrays
        axes = tuple(range(2, x.ndim))
        return np.asarray((np.max if self.function == "max" else np.mean)(x, axes, keepdims=True))
