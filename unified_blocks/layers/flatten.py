"""`Flatten`: all axes but the first in one."""

from __future__ import annotations

import numpy as np

from unified_blocks.block import Block, argument
from unified_blocks.block.arguments import declared
from unified_blocks.types import Array, State


class Flatten(Block):
    """All axes but the first joined in one, elements in the row-major order of `(n, c, *space)`.

    Args:
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first. In `(n, *space, c)`, of three axes or more, the channels are moved first: so the
            weights of a dense layer after it are the same in both.

    Shape:
        Input `(n, …)` of at least two dimensions, output `(n, product of the rest)`.

    Example::

        ub.Flatten()(ub.from_numpy(np.ones((2, 3, 4, 5), "float32")))  # (2, 60)
    """

    @declared
    def __init__(self, *, layout: str | None = None) -> None: ...

    def reference(self, state: State, X: Array) -> Array:
        last = argument(self, "layout") == "channels_last"
        return (np.moveaxis(X, -1, 1) if last else X).reshape(len(X), -1)
