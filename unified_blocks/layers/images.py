"""What layers of images have in common: where the channels are."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.block import Block, argument
from unified_blocks.types import Array, Shape, State


class ImageLayer(Block):
    """Base of the layers that look for the channels of what they take.

    Attributes:
        channels_last: of an instance, whether its layout has them at the end.
    """

    channels_last: bool

    def reference(self, state: State, X: Array) -> Array:
        if argument(self, "layout") == "channels_first":
            return self.of_channels_first(state, X)
        Y = self.of_channels_first(state, np.moveaxis(X, -1, 1))
        return np.moveaxis(Y, 1, -1)

    def of_channels_first(self, state: State, X: Array) -> Array:
        """The reference, for `(n, c, *space)`."""
        raise NotImplementedError


SPACE = {1: "t", 2: "h, w", 3: "d, h, w"}


def expected_image(layer: ImageLayer, shape: Shape, channels: int, rank: int) -> str | None:
    """What the shape of an image must be, in words, when it is not; None when it is."""
    axis = -1 if layer.channels_last else 1
    if len(shape) == rank + 2 and shape[axis] == channels:
        return None
    places = f"{SPACE[rank]}, {channels}" if layer.channels_last else f"{channels}, {SPACE[rank]}"
    return f"(n, {places}), in the layout {argument(layer, 'layout')!r}, the channels"


def over_space(values: Any, rank: int) -> Array:
    """One number for each channel, so that it broadcasts over `(n, c, *space)`."""
    return np.asarray(values).reshape((1, -1) + (1,) * rank)
