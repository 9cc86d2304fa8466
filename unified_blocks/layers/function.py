"""`Lambda`: a function of tensors as a block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unified_blocks.block import Block


class Lambda(Block):
    """A function of tensors, without parameters: `function(*X)`.

    Args:
        function: written with `ub.ops` and operators. To pickle the block, define it at the top
            level of a module: a `lambda` cannot be pickled. To save the block in a `.keras` file,
            register it with `keras.saving.register_keras_serializable` as well.

    Example::

        net = ub.MySequential(ub.Dense(8), ub.Lambda(ub.ops.square))
        net(ub.from_numpy(np.ones((2, 4), "float32")))  # (2, 8)
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *X: Any) -> Any:
        return self.function(*X)
