"""Activations as layers: `Activation` by name, and a class for each."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from unified_blocks import ops
from unified_blocks.block import Block
from unified_blocks.block.rules import ACTIVATIONS
from unified_blocks.reference.numpy_ops import ACTIVATE, softmax
from unified_blocks.types import Array, State


class Activation(Block):
    """An elementwise activation by its name: `ops.<activation>(X)`.

    Args:
        activation: `"relu"`, `"leaky_relu"`, `"elu"`, `"selu"`, `"gelu"`, `"silu"`, `"sigmoid"`,
            `"hard_sigmoid"`, `"tanh"`, `"softplus"` or `"softsign"`; formulas in `ub.ops`.

    Shape:
        Input `(*)`, output the same.

    Raises:
        ValueError: another name.
    """

    def __init__(self, activation: str) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"Activation: activation must be one of {', '.join(ACTIVATIONS)}; "
                f"got activation={activation!r}"
            )
        self.activation = activation

    def forward(self, X: Any) -> Any:
        return getattr(ops, self.activation)(X)

    def reference(self, state: State, X: Array) -> Array:
        return ACTIVATE[self.activation](X)


class Elementwise(Block):
    """Base of the activations that have their own class; input `(*)`, output the same."""

    operation: ClassVar[str]

    def forward(self, X: Any) -> Any:
        return getattr(ops, self.operation)(X)

    def reference(self, state: State, X: Array) -> Array:
        return ACTIVATE[self.operation](X)


class ReLU(Elementwise):
    """The rectified linear unit, `max(X, 0)`; its derivative at 0 is 0."""

    operation = "relu"


class LeakyReLU(Elementwise):
    """`X` where it is above 0, else `0.01 X`."""

    operation = "leaky_relu"


class ELU(Elementwise):
    """`X` where it is above 0, else `exp(X) - 1`."""

    operation = "elu"


class SELU(Elementwise):
    """The self-normalising ELU, `ops.selu`."""

    operation = "selu"


class GELU(Elementwise):
    """`X Φ(X)`, exact: by the error function, not by tanh."""

    operation = "gelu"


class SiLU(Elementwise):
    """`X · sigmoid(X)`, also called swish."""

    operation = "silu"


class Sigmoid(Elementwise):
    """`1 / (1 + exp(-X))`."""

    operation = "sigmoid"


class HardSigmoid(Elementwise):
    """`min(max(X + 3, 0), 6) / 6`."""

    operation = "hard_sigmoid"


class Tanh(Elementwise):
    """The hyperbolic tangent."""

    operation = "tanh"


class Softplus(Elementwise):
    """`log(1 + exp(X))`."""

    operation = "softplus"


class Softsign(Elementwise):
    """`X / (1 + |X|)`."""

    operation = "softsign"


class Softmax(Block):
    """`exp(X) / Σ exp(X)` along an axis.

    Args:
        axis: default: the last.

    Shape:
        Input `(*)`, output the same.
    """

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, X: Any) -> Any:
        return ops.softmax(X, axis=self.axis)

    def reference(self, state: State, X: Array) -> Array:
        return softmax(X, self.axis)


class LogSoftmax(Block):
    """`X - log Σ exp(X)` along an axis.

    Args:
        axis: default: the last.

    Shape:
        Input `(*)`, output the same.
    """

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, X: Any) -> Any:
        return ops.log_softmax(X, axis=self.axis)

    def reference(self, state: State, X: Array) -> Array:
        return np.log(softmax(X, self.axis))
