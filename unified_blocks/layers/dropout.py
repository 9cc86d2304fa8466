"""`Dropout`: random elements are set to 0 in training."""

from __future__ import annotations

from unified_blocks.block import Block
from unified_blocks.block.arguments import declared
from unified_blocks.types import Array, State


class Dropout(Block):
    """In training each element is 0 with probability `rate`, else `X / (1 - rate)`.

    In inference it is the identity. The framework's own mode decides which: PyTorch's `train()` and
    `eval()`, Keras' `training=`, Gluon's `autograd.record()`. The framework draws the elements, so
    that they differ between frameworks.

    Args:
        rate: the probability, in [0, 1).

    Shape:
        Input `(*)`, output the same.

    Raises:
        ValueError: another rate.

    Source:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
        2014; scaled in training ("inverted"), as all three frameworks do.
    """

    @declared
    def __init__(self, rate: float) -> None: ...

    def reference(self, state: State, X: Array) -> Array:
        return X
