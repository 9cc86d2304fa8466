"""The layers that change the size of images, as Gluon blocks."""

from __future__ import annotations

import unified_blocks as ub
from unified_blocks.layers.geometry import per_axis
from unified_blocks_mxnet.compat import nn
from unified_blocks_mxnet.image_ops import exact, sampled, size_of
from unified_blocks_mxnet.images import in_layout


@ub.UpSampling2D.native("mxnet")
class UpSampling2D(ub.UpSampling2D, nn.HybridBlock):
    """Gluon has no such layer, and MXNet's operation computes in float32."""

    def __init__(self, size=2, *, interpolation="nearest", align_corners=False, layout):
        nn.HybridBlock.__init__(self)
        self.channels_last = layout == "channels_last"
        self.axes = (-3, -2) if self.channels_last else (-2, -1)
        self.size = per_axis("", "", size, 2)
        self.interpolation, self.align_corners = interpolation, align_corners

    def hybrid_forward(self, F, X):
        for axis, factor in zip(self.axes, self.size, strict=True):
            repeated = F.np.repeat(X, factor, axis=axis)
            if self.interpolation == "bilinear":
                places = F.npx.arange_like(exact(repeated), axis=axis + 4)
                m = size_of(X, axis) * factor
                repeated = sampled(X, axis, places, m, "bilinear", self.align_corners)
            X = repeated
        return X


@ub.PixelShuffle.native("mxnet")
class PixelShuffle(ub.PixelShuffle, nn.HybridBlock):
    """Gluon's own, in `gluon.contrib`, takes arrays without NumPy semantics only."""

    def __init__(self, factor, *, layout):
        nn.HybridBlock.__init__(self)
        self.channels_last = layout == "channels_last"
        self.factor = factor

    @in_layout
    def hybrid_forward(self, F, X):
        r = self.factor
        # Of reshape here -2 keeps a size, -6 splits one in two, and -5 joins two.
        apart = F.npx.reshape(X, (-2, -6, -1, r * r, -2, -2))
        apart = F.npx.reshape(apart, (-2, -2, -6, r, r, -2, -2))  # (n, c, r, r, h, w)
        return F.npx.reshape(F.np.transpose(apart, (0, 1, 4, 2, 5, 3)), (-2, -2, -5, -5))
