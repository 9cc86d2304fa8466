"""Attention of several heads: how their numbers lie in one tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation
from unified_blocks.types import Array


@dataclass(frozen=True)
class SplitHeads(Operation):
    """Of `(t, n, heads · parts · d)`, each part as `(n · heads, t, d)`.

    Attributes:
        heads: how many there are.
        parts: how many tensors lie in each head, one after another: queries, keys and values.
    """

    heads: int
    parts: int = 1

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        if len(x.shape) != 3 or x.shape[2] % (self.heads * self.parts):
            raise ValueError(f"{self.heads} heads of {self.parts} in {x.shape}")
        t, n, width = x.shape
        each = (n * self.heads, t, width // (self.heads * self.parts))
        return [(each, x.dtype)] * self.parts

    def compute(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        t, n, _ = x.shape
        split = x.reshape(t, n, self.heads, self.parts, -1).transpose(3, 1, 2, 0, 4)
        return tuple(split.reshape(self.parts, n * self.heads, t, -1))


@dataclass(frozen=True)
class MergeHeads(Operation):
    """`(n · heads, t, d)` as `(t, n, heads · d)`."""

    heads: int

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        if len(x.shape) != 3 or x.shape[0] % self.heads:
            raise ValueError(f"{self.heads} heads in {x.shape}")
        rows, t, d = x.shape
        return [((t, rows // self.heads, self.heads * d), x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        (x,) = arrays
        rows, t, d = x.shape
        heads = x.reshape(rows // self.heads, self.heads, t, d).transpose(2, 0, 1, 3)
        return np.asarray(heads.reshape(t, rows // self.heads, self.heads * d))
