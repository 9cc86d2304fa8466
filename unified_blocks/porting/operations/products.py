"""Products of matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation
from unified_blocks.types import Array


@dataclass(frozen=True)
class Matmul(Operation):
    """The product of the last two axes, for each of the axes before them, as NumPy's `@`."""

    def infer(self, *inputs: Any) -> Given:
        a, b = (each.shape for each in inputs)
        if len(a) < 2 or len(b) < 2 or a[-1] != b[-2]:
            raise ValueError(f"{a} @ {b}")
        shape = (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1])
        return [(shape, np.result_type(inputs[0].dtype, inputs[1].dtype).name)]

    def compute(self, *arrays: Array) -> Array:
        return np.asarray(arrays[0] @ arrays[1])
