"""`Dense`: a fully connected layer."""

from __future__ import annotations

from typing import Any

from unified_blocks.block import Block, argument
from unified_blocks.block.arguments import declared
from unified_blocks.reference.numpy_ops import ACTIVATE
from unified_blocks.types import Array, State


class Dense(Block):
    """A fully connected layer on the last axis: `act(X Wᵀ + b)`.

    Args:
        units: width of the output.
        in_units: width of the input, d; if omitted, inferred from the first input.
        activation: None, or a name that `Activation` takes.
        use_bias: whether to add `b`.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(*, d)` of at least two dimensions, output `(*, units)`.

    Parameters (canonical names; the framework's default initial values):
        `weight`: `(units, d)`; `bias`: `(units,)`.

    Raises:
        TypeError: a number of units that is not an integer, or another framework's tensor.
        ValueError: a number of units below 1, an unknown activation, or an input of another width.

    Example::

        layer = ub.Dense(16, activation="relu")
        layer(ub.from_numpy(np.ones((2, 20), "float32")))  # (2, 16)
        ub.state(layer)["weight"]  # (16, 20)
    """

    input_parameter = "weight"

    @declared
    def __init__(
        self,
        units: int,
        *,
        in_units: int | None = None,
        activation: str | None = None,
        use_bias: bool = True,
        dtype: Any = None,
    ) -> None: ...

    def reference(self, state: State, X: Array) -> Array:
        Y = X @ state["weight"].T  # (*, units)
        if argument(self, "use_bias"):
            Y = Y + state["bias"]
        return ACTIVATE[argument(self, "activation")](Y)
