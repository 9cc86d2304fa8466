"""What layers of images have in common: where the channels are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from unified_blocks.block import Block, argument
from unified_blocks.types import Array, State


class ImageLayer(Block):
    """Base of the layers that look for the channels of what they take.

    Attributes:
        rank: the number of axes of space; None of a layer for any.
        channels_last: of an instance, whether its layout has them at the end.
    """

    rank: ClassVar[int | None] = None
    channels_last: bool

    def input_channels(self, shape: Sequence[int]) -> int:
        """How many channels the input has, by the shape of `input_parameter`: `(out, in, …)`."""
        return shape[1]

    def input_pattern(self, shape: Sequence[int]) -> tuple[str | int, ...]:
        space = ("*",) * (len(shape) - 2)
        channels = self.input_channels(shape)
        return ("n", *space, channels) if self.channels_last else ("n", channels, *space)

    def reference(self, state: State, X: Array) -> Array:
        if argument(self, "layout") == "channels_first":
            return self.of_channels_first(state, X)
        Y = self.of_channels_first(state, np.moveaxis(X, -1, 1))
        return np.moveaxis(Y, 1, -1)

    def of_channels_first(self, state: State, X: Array) -> Array:
        """The reference, for `(n, c, *space)`."""
        raise NotImplementedError


def over_space(values: Any, rank: int) -> Array:
    """One number for each channel, so that it broadcasts over `(n, c, *space)`."""
    return np.asarray(values).reshape((1, -1) + (1,) * rank)
