"""Where Keras' layers look for the channels of what they take."""

from __future__ import annotations

from typing import Any

import keras

from unified_blocks.backend import Channels
from unified_blocks.layers.images import ImageLayer

BY_AXIS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
)
LAST = (keras.layers.Dense, keras.layers.EinsumDense, keras.layers.Embedding)
PLACES: dict[Any, Channels] = {
    "channels_first": "first",
    "channels_last": "last",
    1: "first",
    **dict.fromkeys((-1, 2, 3, 4), "last"),
}


def channels_of(layer: Any) -> Channels | None:
    """See `Backend.channels_of`."""
    if isinstance(layer, ImageLayer):
        return "last" if layer.channels_last else "first"
    # A user's subclass may move them to the end and back.
    if not type(layer).call.__module__.startswith(("keras.", "unified_blocks")):
        return _by_format(layer)
    if isinstance(layer, BY_AXIS):
        axis = layer.axis
        if isinstance(axis, list | tuple):
            axis = axis[0] if len(axis) == 1 else None
        return PLACES.get(axis)
    if isinstance(layer, LAST):
        return "last"
    # A Flatten gives rows in the order of its memory whatever its `data_format` is.
    if isinstance(layer, keras.layers.Flatten):
        return None
    return _by_format(layer)


def _by_format(layer: Any) -> Channels | None:
    data_format = getattr(layer, "data_format", None)
    return PLACES.get(data_format) if isinstance(data_format, str) else None
