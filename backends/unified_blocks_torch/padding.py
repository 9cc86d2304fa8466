"""The layers that pad, as PyTorch modules."""

# mypy: disable-error-code="misc"

from __future__ import annotations

from torch import nn

import unified_blocks as ub
from unified_blocks.layers.geometry import pads_in_numbers
from unified_blocks.types import Mixin
from unified_blocks_torch.convolutions import flat
from unified_blocks_torch.images import in_layout


class Padding(Mixin):
    """What these layers add to PyTorch's: a layout."""

    def __init__(self, padding, *, layout):
        self.channels_last = layout == "channels_last"
        self.own.__init__(self, flat(pads_in_numbers("", padding, self.rank)))

    @in_layout
    def forward(self, X):
        return self.own.forward(self, X)


@ub.ZeroPad1D.native("torch")
class ZeroPad1D(ub.ZeroPad1D, Padding, nn.ZeroPad1d):
    own = nn.ZeroPad1d


@ub.ZeroPad2D.native("torch")
class ZeroPad2D(ub.ZeroPad2D, Padding, nn.ZeroPad2d):
    own = nn.ZeroPad2d


@ub.ZeroPad3D.native("torch")
class ZeroPad3D(ub.ZeroPad3D, Padding, nn.ZeroPad3d):
    own = nn.ZeroPad3d


@ub.ReflectPad1D.native("torch")
class ReflectPad1D(ub.ReflectPad1D, Padding, nn.ReflectionPad1d):
    own = nn.ReflectionPad1d


@ub.ReflectPad2D.native("torch")
class ReflectPad2D(ub.ReflectPad2D, Padding, nn.ReflectionPad2d):
    own = nn.ReflectionPad2d


@ub.ReflectPad3D.native("torch")
class ReflectPad3D(ub.ReflectPad3D, Padding, nn.ReflectionPad3d):
    own = nn.ReflectionPad3d
