"""`LayerNorm` and `RMSNorm`: each sample normalised by itself, over its last axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unified_blocks.block import Block, argument
from unified_blocks.block.arguments import declared
from unified_blocks.block.rules import check_size
from unified_blocks.layers.batch_norm import rounded
from unified_blocks.types import Array, State


class LayerNorm(Block):
    """`(X - mean(X)) / √(var(X) + ε) · weight + bias`, mean and variance over the last axes.

    Args:
        in_units: size of the last axis, d; if omitted, inferred from the first input.
        epsilon: ε, rounded to float32, as MXNet does. Default 1e-5, as PyTorch and Gluon (Keras
            has 1e-3).
        axes: over how many of the last axes; the sizes of several are inferred from the first
            input. Default 1.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(*, d)`, output the same; with `axes=2` `(*, h, w)`.

    Parameters (canonical names, initial values):
        `weight`: `(d,)`, ones; `bias`: `(d,)`, zeros. With `axes=2` they are `(h, w)`: what PyTorch
        calls `normalized_shape`.

    Raises:
        ValueError: `in_units` beside several axes.

    Source:
        Ba, Kiros and Hinton, "Layer Normalization", 2016; the variance is biased.

    Example::

        X = np.array([[1.0, 3.0], [0.0, 8.0]], "float32")
        ub.LayerNorm()(ub.from_numpy(X))  # [[-1.00, 1.00], [-1.00, 1.00]]
        images = ub.from_numpy(np.ones((2, 3, 8, 8), "float32"))
        ub.LayerNorm(axes=3)(images)  # (2, 3, 8, 8)
    """

    @declared
    def __init__(
        self,
        *,
        in_units: int | None = None,
        epsilon: float = 1e-5,
        axes: int = 1,
        dtype: Any = None,
    ) -> None: ...

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        axes, in_units = values["axes"], values["in_units"]
        check_size(cls.__name__, "axes", axes)
        if axes > 1 and in_units is not None:
            raise ValueError(
                f"{cls.__name__}: in_units must be left out with several axes, whose sizes are "
                f"inferred from the first input; got in_units={in_units} and axes={axes}"
            )

    def reference(self, state: State, X: Array) -> Array:
        axes = tuple(range(-argument(self, "axes"), 0))
        centred = X - X.mean(axes, keepdims=True)
        variance = (centred**2).mean(axes, keepdims=True)
        normalised = centred / np.sqrt(variance + rounded(argument(self, "epsilon")))
        return np.asarray(normalised * state["weight"] + state["bias"])


class RMSNorm(Block):
    """`X / √(mean(X²) + ε) · weight`, the mean over the last axis.

    Args:
        in_units: size of the last axis, d; if omitted, inferred from the first input.
        epsilon: ε, rounded to float32. Default 1e-6, as Keras (PyTorch has what 1 is apart from
            the next number in the dtype).
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(*, d)`, output the same.

    Parameters (canonical names, initial values):
        `weight`: `(d,)`, ones.

    Source:
        Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.

    Example::

        layer = ub.RMSNorm()
        layer(ub.from_numpy(np.array([[3.0, 4.0]], "float32")))  # [[0.849, 1.131]]
    """

    @declared
    def __init__(
        self, *, in_units: int | None = None, epsilon: float = 1e-6, dtype: Any = None
    ) -> None: ...

    def reference(self, state: State, X: Array) -> Array:
        square = (X**2).mean(-1, keepdims=True)
        epsilon = rounded(argument(self, "epsilon"))
        return np.asarray(X / np.sqrt(square + epsilon) * state["weight"])
