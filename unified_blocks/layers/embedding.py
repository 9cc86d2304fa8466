"""`Embedding`: a row of numbers for each index."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.block import Block, argument
from unified_blocks.block.arguments import declared
from unified_blocks.types import Array, State


class Embedding(Block):
    """A matrix of which each index picks a row: `weight[X]`.

    Args:
        input_dim: how many indices there are.
        output_dim: width of a row.
        dtype: floating-point type of the rows; default: that of `use_dtype`, or float32.

    Shape:
        Input `(*)` of whole numbers in [0, input_dim), output `(*, output_dim)`.

    Parameters (canonical names; the framework's default initial values):
        `weight`: `(input_dim, output_dim)`.

    Raises:
        IndexError: on PyTorch, for an index outside [0, input_dim). On TensorFlow and MXNet, where
            a check would wait for the device, its row is nan.
        TypeError: for an input of floating-point numbers.
        TypeError, ValueError: for dimensions that are not integers of at least 1.

    Example::

        layer = ub.Embedding(1000, 16)
        layer(ub.from_numpy(np.array([[3, 7, 7], [0, 1, 2]])))  # (2, 3, 16)
    """

    @declared
    def __init__(self, input_dim: int, output_dim: int, *, dtype: Any = None) -> None: ...

    @staticmethod
    def not_whole(dtype: Any) -> TypeError:
        """The error for an input of that dtype."""
        return TypeError(
            f"Embedding: the input must be whole numbers; got a tensor of {dtype}: convert it with "
            'ops.astype(x, "int64")'
        )

    def reference(self, state: State, X: Array) -> Array:
        rows = state["weight"][np.real(X).astype(int)]
        return np.reshape(rows, (*X.shape, argument(self, "output_dim")))
