"""`FixedHiddenMLP`: a constant, a shared layer, and control flow on values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unified_blocks import ops
from unified_blocks.block import Block, argument
from unified_blocks.block.constants import Constant
from unified_blocks.layers.dense import Dense
from unified_blocks.reference.numpy_ops import ACTIVATE, dense, relu
from unified_blocks.types import Array, State


class FixedHiddenMLP(Block):
    """A block with a constant, a layer used twice, and a loop that depends on values.

    With `R = rand_weight` and `act` the activation::

        H = act(dense(X; W, b))
        H = relu(H @ R + 1)
        H = act(dense(H; W, b))                # the same dense layer
        while sum(|H|) > 1: H = H / 2
        return sum(H)

    Args:
        units: width of the input and of every layer.
        activation: of the shared dense layer; None gives the numbers of the book's PyTorch
            version, which has none.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(n, units)`, output a scalar, `()`.

    Parameters (canonical names; the framework's default initial values):
        `dense.weight`: `(units, units)`; `dense.bias`: `(units,)`.

    Constants:
        `rand_weight`: `(units, units)`, drawn once from U[0, 1). It is saved, loaded and moved
        with the block, but never trained.

    Raises:
        ValueError: `units` below 1; an input of another width; or, in eager mode, a sum of
            absolute values that is not finite. A compiled graph cannot raise, and returns nan.

    Note:
        Eagerly each test of the loop reads one number, and waits for the device once; a compiled
        graph reads none. It computes the halvings without a loop, with the same bits: with
        `s = sum(|H|)` there are `k = #{j ≥ 0 : s > 2^j}` of them, applied as two
        multiplications, by `2^-⌊k/2⌋` and `2^-(k-⌊k/2⌋)`, so that no factor is subnormal.
        Elements that become subnormal are rounded once there, and in the loop each time. A
        compiler that adds up in another order (XLA, Inductor) can find an `s` that is within its
        rounding of a power of two on the other side of it, and halve once more or less.

    Source:
        Dive into Deep Learning, "Layers and Modules", 6.1.3.

    Example::

        net = ub.FixedHiddenMLP(20)
        net(ub.from_numpy(np.ones((2, 20), "float32")))  # ()
    """

    random_constants: Mapping[str, str] = {"rand_weight": "uniform"}
    input_parameter = "dense.weight"

    def __init__(
        self, units: int = 20, *, activation: str | None = "relu", dtype: Any = None
    ) -> None:
        super().__init__()
        self.activation = activation
        self.rand_weight: Any = Constant(shape=(units, units), initializer="uniform", dtype=dtype)
        self.dense: Any = Dense(units, activation=activation, in_units=units, dtype=dtype)

    def forward(self, X: Any) -> Any:
        H = self.dense(X)
        H = ops.relu(ops.matmul(H, self.rand_weight) + 1)
        H = self.dense(H)  # the same layer again: its parameters are shared
        while ops.check_finite(ops.sum(ops.abs(H)), halving_error) > 1:
            H = H / 2
        return ops.sum(H)

    def reference(self, state: State, X: Array) -> Array:
        activate = ACTIVATE[argument(self, "activation")]
        H = activate(dense(X, state, "dense"))  # (n, units)
        H = relu(H @ state["rand_weight"] + 1)  # (n, units)
        H = activate(dense(H, state, "dense"))  # (n, units)
        total = np.abs(np.real(H)).sum()
        if not np.isfinite(total):
            raise ValueError(halving_error(total))
        while np.abs(np.real(H)).sum() > 1:
            H = H / 2
        return np.asarray(H.sum())


def halving_error(total: Any) -> str:
    """The message of the error for a hidden layer that cannot be halved down to 1."""
    return (
        "FixedHiddenMLP: the sum of absolute values that is halved down to 1 must be finite; "
        f"got {float(total)}: scale the input or the parameters down"
    )
