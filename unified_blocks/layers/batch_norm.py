"""`BatchNorm`: each channel normalised over the batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.block import argument
from unified_blocks.block.arguments import declared
from unified_blocks.layers.images import ImageLayer, over_space
from unified_blocks.types import Array, State


class BatchNorm(ImageLayer):
    """`(X - mean) / √(var + ε) · weight + bias`, for each channel.

    In training, mean and biased variance are those of the batch, and the running ones are updated:
    `running = (1 - momentum) running + momentum · batch`. In inference they are the running ones.
    MXNet updates the running ones in `backward`, not in the call.

    Args:
        in_units: number of channels, c; if omitted, inferred from the first input.
        epsilon: ε. Default 1e-5, as PyTorch and Gluon (Keras has 1e-3).
        momentum: the weight of the new value. Default 0.1, as PyTorch (the weight of the old one
            is 0.9 in Gluon and 0.99 in Keras). ε and `1 - momentum` are rounded to float32, as
            MXNet does.
        scale: whether there is a `weight`.
        center: whether there is a `bias`.
        use_global_stats: whether training, too, computes with the running mean and variance, which
            it leaves as they are: a "frozen" BatchNorm, whose weight and bias learn.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(n, c, *)`, output the same; in the layout `"channels_last"` `(n, *, c)`.

    Parameters (canonical names, initial values):
        `weight`: `(c,)`, ones; `bias`: `(c,)`, zeros.

    Constants:
        `running_mean`: `(c,)`, zeros; `running_var`: `(c,)`, ones.

    Raises:
        ValueError: a momentum outside [0, 1], or an epsilon that is not above 0.

    Source:
        Ioffe and Szegedy, "Batch Normalization", 2015. `torch.nn.BatchNorm1d` keeps
        the unbiased variance.

    Example::

        layer = ub.BatchNorm()
        layer(ub.from_numpy(np.ones((2, 3, 8, 8), "float32")))  # (2, 3, 8, 8)
        sorted(ub.state(layer))  # ['bias', 'running_mean', 'running_var', 'weight']
    """

    @declared
    def __init__(
        self,
        *,
        in_units: int | None = None,
        epsilon: float = 1e-5,
        momentum: float = 0.1,
        scale: bool = True,
        center: bool = True,
        use_global_stats: bool = False,
        layout: str | None = None,
        dtype: Any = None,
    ) -> None: ...

    def of_channels_first(self, state: State, X: Array) -> Array:
        rank = X.ndim - 2
        mean, var = (over_space(state[f"running_{name}"], rank) for name in ("mean", "var"))
        return scaled(state, (X - mean) / np.sqrt(var + rounded(argument(self, "epsilon"))))


def scaled(state: State, Y: Array) -> Array:
    """`Y · weight + bias` for each channel of `(n, c, *)`, of those that the state has."""
    rank = Y.ndim - 2
    weight, bias = state.get("weight", np.ones(1)), state.get("bias", np.zeros(1))
    return np.asarray(Y * over_space(weight, rank) + over_space(bias, rank))


def rounded(epsilon: float) -> float:
    """ε in float32, as MXNet has it."""
    return float(np.float32(epsilon))


def kept(momentum: float) -> float:
    """The weight of the old value: `1 - momentum`, rounded to float32."""
    return float(np.float32(1 - momentum))
