"""The layers that change the size of images, as PyTorch modules."""

from __future__ import annotations

from torch import nn

import unified_blocks as ub
from unified_blocks.layers.geometry import per_axis
from unified_blocks_torch.images import in_layout


@ub.UpSampling2D.native("torch")
class UpSampling2D(ub.UpSampling2D, nn.Upsample):
    def __init__(self, size=2, *, interpolation="nearest", align_corners=False, layout):
        self.channels_last = layout == "channels_last"
        factors = per_axis("", "", size, 2)
        corners = None if interpolation == "nearest" else align_corners
        nn.Upsample.__init__(self, None, factors, interpolation, corners)

    @in_layout
    def forward(self, X):
        return nn.Upsample.forward(self, X)


@ub.PixelShuffle.native("torch")
class PixelShuffle(ub.PixelShuffle, nn.PixelShuffle):
    def __init__(self, factor, *, layout):
        self.channels_last = layout == "channels_last"
        nn.PixelShuffle.__init__(self, factor)

    @in_layout
    def forward(self, X):
        return nn.PixelShuffle.forward(self, X)
