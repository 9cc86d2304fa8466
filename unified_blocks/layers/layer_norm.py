"""`LayerNorm`: each sample normalised by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.block import Block, argument
from unified_blocks.block.arguments import declared
from unified_blocks.types import Array, State


class LayerNorm(Block):
    """`(X - mean(X)) / √(var(X) + ε) · weight + bias`, mean and variance over the last axis.

    Args:
        in_units: size of the last axis, d; if omitted, inferred from the first input.
        epsilon: ε, rounded to float32, as MXNet does. Default 1e-5, as PyTorch and Gluon (Keras
            has 1e-3).
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(*, d)`, output the same.

    Parameters (canonical names, initial values):
        `weight`: `(d,)`, ones; `bias`: `(d,)`, zeros.

    Source:
        Ba, Kiros and Hinton, "Layer Normalization", 2016; the variance is biased.
    """

    @declared
    def __init__(
        self, *, in_units: int | None = None, epsilon: float = 1e-5, dtype: Any = None
    ) -> None: ...

    def reference(self, state: State, X: Array) -> Array:
        centred = X - X.mean(-1, keepdims=True)
        variance = (centred**2).mean(-1, keepdims=True)
        epsilon = float(np.float32(argument(self, "epsilon")))
        return np.asarray(centred / np.sqrt(variance + epsilon) * state["weight"] + state["bias"])
