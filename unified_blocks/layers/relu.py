"""`ReLU`: the rectified linear unit."""

from __future__ import annotations

from unified_blocks.arguments import declared
from unified_blocks.block import Block
from unified_blocks.equivalence.numpy_ops import relu
from unified_blocks.types import Array, State


class ReLU(Block):
    """The rectified linear unit, elementwise: `max(X, 0)`. Its derivative at 0 is 0.

    Shape:
        Input `(*)`, output the same.

    Example::

        net = ub.MySequential(ub.Dense(256), ub.ReLU(), ub.Dense(10))
    """

    @declared
    def __init__(self) -> None: ...

    def reference(self, state: State, X: Array) -> Array:
        return relu(X)
