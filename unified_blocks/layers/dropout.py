"""`Dropout`: random elements are set to 0 in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
        axes: of `(n, c, *space)`: along these all are dropped together, or none. `(2, 3)` drops
            whole channels of images.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first. The same axes are elsewhere in `(n, *space, c)`.

    Shape:
        Input `(*)`, output the same.

    Raises:
        TypeError, ValueError: another rate, or axes that are not whole numbers from 0 on.

    Source:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
        2014; scaled in training ("inverted"), as all three frameworks do. Along axes: Tompson et
        al., "Efficient Object Localization Using Convolutional Networks", 2015.

    Example::

        net = ub.MySequential(ub.Dense(8), ub.Dropout(0.5))
        net(ub.from_numpy(np.ones((2, 4), "float32")))  # (2, 8)
    """

    @declared
    def __init__(
        self, rate: float, axes: tuple[int, ...] = (), *, layout: str | None = None
    ) -> None: ...

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        axes = values["axes"]
        whole = isinstance(axes, list | tuple) and all(type(axis) is int for axis in axes)
        if not whole:
            raise TypeError(
                f"{cls.__name__}: axes must be a tuple of whole numbers; got axes={axes!r}"
            )
        if any(axis < 0 for axis in axes):
            raise ValueError(
                f"{cls.__name__}: axes must be numbers from 0 on, those of (n, c, *space); got "
                f"axes={axes!r}"
            )

    def reference(self, state: State, X: Array) -> Array:
        return X


def in_last(axes: tuple[int, ...]) -> tuple[int, ...]:
    """Axes of `(n, c, *space)` as axes of `(n, *space, c)`; the channels are -1."""
    return tuple(axis if axis == 0 else axis - 1 if axis > 1 else -1 for axis in axes)
