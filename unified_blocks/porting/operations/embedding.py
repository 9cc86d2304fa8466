"""Embeddings: a vector for each of a number of things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation
from unified_blocks.types import Array


@dataclass(frozen=True)
class Embedding(Operation):
    """The rows of a weight that whole numbers name. Takes those, and a weight `(rows, units)`."""

    def infer(self, *inputs: Any) -> Given:
        x, weight = inputs
        if len(weight.shape) != 2:
            raise ValueError(f"a weight of {weight.shape}")
        return [((*x.shape, weight.shape[1]), weight.dtype)]

    def compute(self, *arrays: Array) -> Array:
        x, weight = arrays
        return np.asarray(weight[x.astype(np.int64)])
