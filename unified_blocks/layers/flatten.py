"""`Flatten`: all axes but the first in one."""

from __future__ import annotations

from unified_blocks.block import Block
from unified_blocks.block.arguments import declared
from unified_blocks.types import Array, State


class Flatten(Block):
    """All axes but the first joined in one, elements in the same (row-major) order.

    Shape:
        Input `(n, …)` of at least two dimensions, output `(n, product of the rest)`.
    """

    @declared
    def __init__(self) -> None: ...

    def reference(self, state: State, X: Array) -> Array:
        return X.reshape(len(X), -1)
