"""The layers that pad, as Gluon blocks."""

from __future__ import annotations

import unified_blocks as ub
from unified_blocks.layers.geometry import pads_in_numbers
from unified_blocks.types import Mixin
from unified_blocks_mxnet.compat import nn
from unified_blocks_mxnet.image_ops import pad


class Padding(Mixin):
    """Gluon has one of these layers, for arrays without NumPy semantics: MXNet's operations do."""

    def __init__(self, padding, *, layout):
        nn.HybridBlock.__init__(self)
        self.channels_last = layout == "channels_last"
        pads = pads_in_numbers("", padding, self.rank)
        self.pads = ((0, 0), *pads, (0, 0)) if self.channels_last else ((0, 0), (0, 0), *pads)

    def hybrid_forward(self, F, X):
        return pad(X, self.pads, self.mode, 0.0)


@ub.ZeroPad1D.native("mxnet")
class ZeroPad1D(ub.ZeroPad1D, Padding, nn.HybridBlock): ...


@ub.ZeroPad2D.native("mxnet")
class ZeroPad2D(ub.ZeroPad2D, Padding, nn.HybridBlock): ...


@ub.ZeroPad3D.native("mxnet")
class ZeroPad3D(ub.ZeroPad3D, Padding, nn.HybridBlock): ...


@ub.ReflectPad1D.native("mxnet")
class ReflectPad1D(ub.ReflectPad1D, Padding, nn.HybridBlock): ...


@ub.ReflectPad2D.native("mxnet")
class ReflectPad2D(ub.ReflectPad2D, Padding, nn.HybridBlock): ...


@ub.ReflectPad3D.native("mxnet")
class ReflectPad3D(ub.ReflectPad3D, Padding, nn.HybridBlock): ...
