"""`MySequential`: blocks in a row."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from unified_blocks.block import Block
from unified_blocks.block.arguments import Arguments
from unified_blocks.block.attributes import layer_of
from unified_blocks.block.native_classes import native_classes
from unified_blocks.reference.gradients import reference_of
from unified_blocks.reference.numpy_ops import substate
from unified_blocks.types import Array, State

if TYPE_CHECKING:
    from typing import Self


class MySequential(Block):
    """Blocks in a row: `blocks[-1](… blocks[0](X))`, in the order added.

    Without blocks it is the identity.

    Args:
        *blocks: blocks or any layers of the same framework.

    Shape:
        Input: what the first block takes; output: what the last one gives.

    Parameters:
        each child's, under `0.`, `1.`, …

    Attributes:
        `len(net)`, `net[i]`, `net[i:j]` (a new `MySequential`) and iteration give the children.

    Raises:
        TypeError: a child that is not a layer of this framework.

    Source:
        Dive into Deep Learning, "Layers and Modules", 6.1.2.

    Example::

        net = ub.MySequential(ub.Dense(256, activation="relu"), ub.Dense(10))
        net(ub.from_numpy(np.ones((2, 20), "float32")))  # (2, 10)
        ub.state(net[1])["weight"]  # (10, 256)
    """

    def __init__(self, *blocks: Any) -> None:
        super().__init__()
        for block in blocks:
            self.add(block)

    def add(self, block: Any) -> Self:
        """Append a block, and return this container.

        Raises:
            TypeError: a child that is not a layer of this framework.
            BlockBuiltError: after the first call on tensorflow, where Keras locks a model.
        """
        setattr(self, str(len(self)), layer_of(self, block))
        return self

    def forward(self, X: Any) -> Any:
        for block in self:
            X = block(X)
        return X

    def __len__(self) -> int:
        return next(i for i in itertools.count() if not hasattr(self, str(i)))

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, str(i)) for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        blocks = list(self)[index]
        return type(self)(*blocks) if isinstance(index, slice) else blocks

    def current_arguments(self) -> Arguments:
        assert self._native is not None
        native = native_classes(self._native.backend).get(MySequential)
        constructors = [inspect.unwrap(cls.__init__) for cls in (MySequential, native)]
        if inspect.unwrap(type(self).__init__) not in constructors:
            return self._origin.arguments  # a subclass that makes its blocks itself
        origin = self._origin.arguments
        return Arguments(tuple(self), {}, origin.dtype, origin.layout)

    def reference(self, state: State, X: Array) -> Array:
        for i, block in enumerate(self):
            X = reference_of(block, substate(state, str(i)), X)
        return X
