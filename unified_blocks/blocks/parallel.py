"""`Parallel`: blocks side by side on the same input."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks import ops
from unified_blocks.block import Block, portable_class
from unified_blocks.block.arguments import Arguments
from unified_blocks.block.attributes import layer_of
from unified_blocks.layers.axes import Axis
from unified_blocks.reference.gradients import reference_of
from unified_blocks.reference.numpy_ops import substate
from unified_blocks.types import Array, State


class Parallel(Block):
    """Blocks side by side, their outputs joined: `concat([b(X) for b in blocks], axis)`.

    Args:
        *blocks: blocks or any layers of the same framework, at least one.
        axis: along which the outputs are joined: a number, default the last, or `"channels"`. In
            the layout `"channels_last"` a number is still that of an axis of `(n, c, *space)`, for
            outputs of four axes or more.

    Shape:
        Input: what every block takes; output: theirs joined along `axis`.

    Parameters:
        each child's, under `0.`, `1.`, …

    Raises:
        TypeError: no block, or a child that is not a layer of this framework.

    Source:
        Dive into Deep Learning, "Layers and Modules", exercise 2.

    Example::

        net = ub.Parallel(ub.Dense(8), ub.NestMLP())
        net(ub.from_numpy(np.ones((2, 20), "float32")))  # (2, 24)
    """

    def __init__(self, *blocks: Any, axis: int | str = -1) -> None:
        super().__init__()
        if not blocks:
            raise TypeError("Parallel must be given at least one block; got none")
        self.axis, self.size = axis, len(blocks)
        self.along = Axis.of("Parallel", axis)
        for i, block in enumerate(blocks):
            setattr(self, str(i), layer_of(self, block))

    def forward(self, X: Any) -> Any:
        outputs = [block(X) for block in self.branches()]
        return ops.concat(outputs, axis=self.along.among("Parallel", outputs[0]))

    def branches(self) -> list[Any]:
        """The blocks, in the order given."""
        return [getattr(self, str(i)) for i in range(self.size)]

    def current_arguments(self) -> Arguments:
        block = portable_class(type(self))
        if "__init__" in vars(block) and block is not Parallel:
            return self._origin.arguments  # a subclass that makes its blocks itself
        made = self._origin.arguments
        return Arguments(tuple(self.branches()), {"axis": self.axis}, made.dtype, made.layout)

    def reference(self, state: State, X: Array) -> Array:
        outputs = [
            reference_of(block, substate(state, str(i)), X)
            for i, block in enumerate(self.branches())
        ]
        return np.concatenate(outputs, self.along.among("Parallel", outputs[0]))
