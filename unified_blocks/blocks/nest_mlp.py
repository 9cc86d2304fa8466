"""`NestMLP`: a block within a block."""

from __future__ import annotations

from typing import Any

from unified_blocks.block import Block, argument
from unified_blocks.blocks.my_sequential import MySequential
from unified_blocks.layers.dense import Dense
from unified_blocks.reference.numpy_ops import ACTIVATE, dense, relu
from unified_blocks.types import Array, State


class NestMLP(Block):
    """A sequential block of two layers inside a block: `act(dense(net(X); 16))`,

    with `net(X) = relu(dense(relu(dense(X; 64)); 32))`.

    Args:
        in_units: width of the input, d; if omitted, inferred from the first input.
        out_activation: of the last layer; None gives the numbers of the book's PyTorch version,
            which has none.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(n, d)`, output `(n, 16)`.

    Parameters (canonical names; the framework's default initial values):
        `net.0.weight`: `(64, d)`; `net.0.bias`: `(64,)`; `net.1.weight`: `(32, 64)`;
        `net.1.bias`: `(32,)`; `dense.weight`: `(16, 32)`; `dense.bias`: `(16,)`.

    Raises:
        TypeError: another framework's tensor.
        ValueError: an input whose width is not d.

    Source:
        Dive into Deep Learning, "Layers and Modules", 6.1.3.

    Example::

        net = ub.NestMLP()
        net(ub.from_numpy(np.ones((2, 20), "float32")))  # (2, 16)
    """

    input_parameter = "net.0.weight"

    def __init__(
        self,
        *,
        in_units: int | None = None,
        out_activation: str | None = "relu",
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.out_activation = out_activation
        self.net: Any = MySequential(
            Dense(64, activation="relu", in_units=in_units, dtype=dtype),
            Dense(32, activation="relu", in_units=64, dtype=dtype),
        )
        self.dense: Any = Dense(16, activation=out_activation, in_units=32, dtype=dtype)

    def forward(self, X: Any) -> Any:
        return self.dense(self.net(X))

    def reference(self, state: State, X: Array) -> Array:
        H = relu(dense(X, state, "net.0"))  # (n, 64)
        H = relu(dense(H, state, "net.1"))  # (n, 32)
        return ACTIVATE[argument(self, "out_activation")](dense(H, state, "dense"))  # (n, 16)
