"""`MLP`: a multilayer perceptron with one hidden layer."""

from __future__ import annotations

from typing import Any

from unified_blocks.block import Block
from unified_blocks.layers.dense import Dense
from unified_blocks.reference.numpy_ops import dense, relu
from unified_blocks.types import Array, State


class MLP(Block):
    """A multilayer perceptron with one hidden layer: `dense(relu(dense(X; W1, b1)); W2, b2)`.

    Args:
        hidden_units: width of the hidden layer.
        out_units: width of the output.
        in_units: width of the input, d; if omitted, inferred from the first input.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(n, d)`, output `(n, out_units)`.

    Parameters (canonical names; the framework's default initial values):
        `hidden.weight`: `(hidden_units, d)`; `hidden.bias`: `(hidden_units,)`;
        `out.weight`: `(out_units, hidden_units)`; `out.bias`: `(out_units,)`.

    Raises:
        TypeError: a number of units that is not an integer, or another framework's tensor.
        ValueError: a number of units below 1, or an input whose width is not d.

    Source:
        Dive into Deep Learning, "Layers and Modules", 6.1.1.

    Example::

        net = ub.MLP(256, 10)
        net(ub.from_numpy(np.ones((2, 20), "float32")))  # (2, 10)
    """

    input_parameter = "hidden.weight"

    def __init__(
        self,
        hidden_units: int = 256,
        out_units: int = 10,
        *,
        in_units: int | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.hidden: Any = Dense(hidden_units, activation="relu", in_units=in_units, dtype=dtype)
        self.out: Any = Dense(out_units, in_units=hidden_units, dtype=dtype)

    def forward(self, X: Any) -> Any:
        return self.out(self.hidden(X))

    def reference(self, state: State, X: Array) -> Array:
        H = relu(dense(X, state, "hidden"))  # (n, hidden_units)
        return dense(H, state, "out")  # (n, out_units)
