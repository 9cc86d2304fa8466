"""`BatchNorm`: each feature normalised over the batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.block import Block, argument
from unified_blocks.block.arguments import declared
from unified_blocks.types import Array, State


class BatchNorm(Block):
    """`(X - mean) / √(var + ε) · weight + bias`, for each feature, which is axis 1.

    In training, mean and biased variance are those of the batch, and the running ones are updated:
    `running = (1 - momentum) running + momentum · batch`. In inference they are the running ones.
    MXNet updates the running ones in `backward`, not in the call.

    Args:
        in_units: number of features, d; if omitted, inferred from the first input.
        epsilon: ε. Default 1e-5, as PyTorch and Gluon (Keras has 1e-3).
        momentum: the weight of the new value. Default 0.1, as PyTorch (the weight of the old one
            is 0.9 in Gluon and 0.99 in Keras). ε and `1 - momentum` are rounded to float32, as
            MXNet does.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(n, d, *)`, output the same.

    Parameters (canonical names, initial values):
        `weight`: `(d,)`, ones; `bias`: `(d,)`, zeros.

    Constants:
        `running_mean`: `(d,)`, zeros; `running_var`: `(d,)`, ones.

    Raises:
        ValueError: a momentum outside [0, 1], or an epsilon that is not above 0.

    Source:
        Ioffe and Szegedy, "Batch Normalization", 2015. `torch.nn.BatchNorm1d` keeps
        the unbiased variance.
    """

    @declared
    def __init__(
        self,
        *,
        in_units: int | None = None,
        epsilon: float = 1e-5,
        momentum: float = 0.1,
        dtype: Any = None,
    ) -> None: ...

    def reference(self, state: State, X: Array) -> Array:
        across = (1, -1) + (1,) * (X.ndim - 2)
        names = ("running_mean", "running_var", "weight", "bias")
        mean, var, weight, bias = (state[name].reshape(across) for name in names)
        epsilon = float(np.float32(argument(self, "epsilon")))
        return np.asarray((X - mean) / np.sqrt(var + epsilon) * weight + bias)


def kept(momentum: float) -> float:
    """The weight of the old value: `1 - momentum`, rounded to float32."""
    return float(np.float32(1 - momentum))
