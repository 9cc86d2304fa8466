"""`MySequential`: blocks in a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from unified_blocks.arguments import Arguments, declared
from unified_blocks.block import Block
from unified_blocks.equivalence.numpy_ops import substate
from unified_blocks.equivalence.reference import reference_of
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
        TypeError: a child that is no layer of this framework.

    Source:
        Dive into Deep Learning, "Layers and Modules", 6.1.2.

    Example::

        net = ub.MySequential(ub.Dense(256, activation="relu"), ub.Dense(10))
    """

    @declared
    def __init__(self, *blocks: Any) -> None: ...

    if TYPE_CHECKING:  # written natively on each framework

        def add(self, block: Any) -> Self:
            """Append a block, and return this container.

            Raises:
                TypeError: a child that is no layer of this framework.
                BlockBuiltError: after the first call on tensorflow, where Keras locks a model.
            """
            ...

        def __len__(self) -> int: ...
        def __getitem__(self, index: Any) -> Any: ...
        def __iter__(self) -> Iterator[Any]: ...

    def current_arguments(self) -> Arguments:
        assert self._block_backend is not None
        if type(self).__init__ is not self._block_backend.native_class(MySequential).__init__:
            return self._arguments  # a subclass that makes its blocks itself
        return Arguments(tuple(self), {}, self._arguments.dtype)

    def reference(self, state: State, X: Array) -> Array:
        for i, block in enumerate(self):
            X = reference_of(block, substate(state, str(i)), X)
        return X
