"""Layers that pad, enlarge or rearrange images."""

from __future__ import annotations

import unified_blocks as ub
from pytest_unified_blocks.layer_cases.case import LayerCase
from pytest_unified_blocks.layer_cases.images import IMAGE, LINE, SOLID

UNEVEN = ((0, 2), (1, 0))

RESIZING: dict[str, LayerCase] = {
    "ZeroPad1D": LayerCase(lambda: ub.ZeroPad1D(((2, 1),)), LINE),
    "ZeroPad2D": LayerCase(lambda: ub.ZeroPad2D(1), IMAGE),
    "ZeroPad2D each": LayerCase(lambda: ub.ZeroPad2D((1, 2)), IMAGE),
    "ZeroPad2D uneven": LayerCase(lambda: ub.ZeroPad2D(UNEVEN), IMAGE),
    "ZeroPad2D last": LayerCase(lambda: ub.ZeroPad2D(UNEVEN, layout="channels_last"), IMAGE),
    "ZeroPad3D": LayerCase(lambda: ub.ZeroPad3D((1, 0, 2)), SOLID),
    "ReflectPad1D": LayerCase(lambda: ub.ReflectPad1D(((2, 1),)), LINE),
    "ReflectPad2D": LayerCase(lambda: ub.ReflectPad2D(2), IMAGE),
    "ReflectPad2D uneven": LayerCase(lambda: ub.ReflectPad2D(UNEVEN), IMAGE),
    "ReflectPad2D last": LayerCase(lambda: ub.ReflectPad2D(UNEVEN, layout="channels_last"), IMAGE),
    "ReflectPad3D": LayerCase(lambda: ub.ReflectPad3D(1), SOLID),
    "UpSampling2D": LayerCase(ub.UpSampling2D, IMAGE),
    "UpSampling2D each": LayerCase(lambda: ub.UpSampling2D((3, 1)), IMAGE),
    "UpSampling2D bilinear": LayerCase(lambda: ub.UpSampling2D(2, interpolation="bilinear"), IMAGE),
    "UpSampling2D bilinear three": LayerCase(
        lambda: ub.UpSampling2D((1, 3), interpolation="bilinear", layout="channels_last"), IMAGE
    ),
    "UpSampling2D corners": LayerCase(
        lambda: ub.UpSampling2D(2, interpolation="bilinear", align_corners=True),
        (*IMAGE, (1, 1, 1, 3)),
    ),
    "UpSampling2D last": LayerCase(lambda: ub.UpSampling2D(2, layout="channels_last"), IMAGE),
    "PixelShuffle": LayerCase(lambda: ub.PixelShuffle(2), ((2, 8, 3, 5), (1, 4, 2, 1))),
    "PixelShuffle last": LayerCase(
        lambda: ub.PixelShuffle(3, layout="channels_last"), ((2, 3, 2, 18), (1, 1, 4, 9))
    ),
}
"""The layers that change the size of images."""
