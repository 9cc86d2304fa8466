"""Where PyTorch's layers look for the channels of what they take."""

from __future__ import annotations

from torch import nn

from unified_blocks.backend import Channels
from unified_blocks.layers.images import ImageLayer

FIRST = (
    nn.modules.conv._ConvNd,
    nn.modules.batchnorm._NormBase,  # of instances, too
    nn.GroupNorm,
    nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AvgPoolNd,
    nn.modules.pooling._LPPoolNd,
    nn.modules.pooling._AdaptiveMaxPoolNd,
    nn.modules.pooling._AdaptiveAvgPoolNd,
    nn.Upsample,
    nn.PixelShuffle,
    nn.PixelUnshuffle,
)
LAST = (nn.Linear, nn.Embedding, nn.LayerNorm)


def channels_of(layer: nn.Module) -> Channels | None:
    """See `Backend.channels_of`."""
    if isinstance(layer, ImageLayer):
        return "last" if layer.channels_last else "first"
    if isinstance(layer, FIRST):
        return "first"
    # A user's subclass may move them to the end and back: torchvision's LayerNorm2d does.
    own = type(layer).forward.__module__.startswith(("torch.", "unified_blocks"))
    if not own or not isinstance(layer, LAST):
        return None
    several = isinstance(layer, nn.LayerNorm) and len(layer.normalized_shape or ()) > 1
    return None if several else "last"
