"""Images of another size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation
from unified_blocks.types import Array, Shape


@dataclass(frozen=True)
class Resize(Operation):
    """An image `(n, c, *space)` of another size.

    Attributes:
        size: of the new one.
        mode: `"nearest"`, the pixel in whose place a new one begins; `"linear"`, between the
            nearest two of each axis.
        align_corners: whether the first and last pixels of both are in the same places; else the
            corners of those pixels are.
    """

    size: Shape
    mode: str = "nearest"
    align_corners: bool = False

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        if len(self.size) != len(x.shape) - 2:
            raise ValueError(f"{x.shape} in a size of {self.size}")
        return [((*x.shape[:2], *self.size), x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        (x,) = arrays
        for axis, m in enumerate(self.size, 2):
            x = self._along(x, axis, m)
        return x

    def _along(self, x: Array, axis: int, m: int) -> Array:
        n = x.shape[axis]
        if self.mode == "nearest":
            return x.take(np.arange(m) * n // m, axis)
        at = (np.arange(m) + 0.5) * n / m - 0.5
        if self.align_corners:
            at = np.arange(m) * ((n - 1) / max(m - 1, 1))
        distance = np.abs(np.clip(at, 0, n - 1)[:, None] - np.arange(n))
        shares = np.maximum(1 - distance, 0).astype(x.dtype)  # (m, n)
        return np.moveaxis(np.tensordot(shares, x, (1, axis)), 0, axis)
