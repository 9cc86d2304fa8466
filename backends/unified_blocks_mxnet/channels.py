"""Where Gluon's layers look for the channels of what they take."""

from __future__ import annotations

from typing import Any

from unified_blocks.backend import Channels
from unified_blocks.layers.images import ImageLayer
from unified_blocks_mxnet.compat import nn


def channels_of(layer: Any) -> Channels | None:
    """See `Backend.channels_of`."""
    if isinstance(layer, ImageLayer):
        return "last" if layer.channels_last else "first"
    if isinstance(layer, nn.Dense):  # one that flattens takes images in the order of their memory
        return None if layer._flatten else "last"
    if isinstance(layer, nn.Embedding):
        return "last"
    if isinstance(layer, nn.GroupNorm):
        return "first"
    options = getattr(layer, "_kwargs", None)
    if not isinstance(options, dict):
        return None
    layout, axis = options.get("layout"), options.get("axis")
    if isinstance(layout, str):
        return "first" if layout[1] == "C" else "last" if layout[-1] == "C" else None
    if isinstance(layer, nn.BatchNorm | nn.InstanceNorm | nn.LayerNorm):
        return "first" if axis == 1 else "last"
    return None
