"""Layers of images: even and odd sizes, uneven padding, steps above the window, groups."""

from __future__ import annotations

import unified_blocks as ub
from pytest_unified_blocks.layer_cases.case import LayerCase

LINE = ((2, 4, 7), (1, 4, 8))
IMAGE = ((2, 4, 7, 6), (1, 4, 8, 5))
SOLID = ((2, 4, 5, 4, 6),)

CONVOLUTIONS = {
    "Conv1D": LayerCase(lambda: ub.Conv1D(3, 3), LINE),
    "Conv1D causal": LayerCase(lambda: ub.Conv1D(3, 3, padding=((2, 0),)), LINE),
    "Conv1D same": LayerCase(lambda: ub.Conv1D(3, 4, padding="same"), LINE),
    "Conv1D last": LayerCase(lambda: ub.Conv1D(3, 2, layout="channels_last"), LINE),
    "Conv2D": LayerCase(lambda: ub.Conv2D(3, 3), IMAGE),
    "Conv2D window": LayerCase(lambda: ub.Conv2D(3, (2, 3), (3, 1)), IMAGE),
    "Conv2D strides above": LayerCase(lambda: ub.Conv2D(3, 2, 3, padding=1), IMAGE),
    "Conv2D padding": LayerCase(lambda: ub.Conv2D(3, 3, padding=(1, 2)), IMAGE),
    "Conv2D uneven": LayerCase(lambda: ub.Conv2D(3, 3, 2, ((0, 1), (2, 1))), IMAGE),
    "Conv2D same": LayerCase(lambda: ub.Conv2D(3, (3, 4), padding="same"), IMAGE),
    "Conv2D dilation": LayerCase(lambda: ub.Conv2D(3, 2, dilation=(2, 3), padding=2), IMAGE),
    "Conv2D groups": LayerCase(lambda: ub.Conv2D(6, 3, groups=2), IMAGE),
    "Conv2D depthwise": LayerCase(lambda: ub.Conv2D(8, 3, groups=4, padding=1), IMAGE),
    "Conv2D activation": LayerCase(lambda: ub.Conv2D(3, 3, activation="gelu"), IMAGE),
    "Conv2D no bias": LayerCase(lambda: ub.Conv2D(3, 3, use_bias=False), IMAGE),
    "Conv2D one": LayerCase(lambda: ub.Conv2D(1, 1, in_channels=4), IMAGE),
    "Conv2D last": LayerCase(
        lambda: ub.Conv2D(3, (3, 2), 2, padding=((1, 0), (1, 1)), layout="channels_last"), IMAGE
    ),
    "Conv3D": LayerCase(lambda: ub.Conv3D(3, (2, 3, 2), (1, 2, 1), padding=(0, 1, 1)), SOLID),
    "Conv3D last": LayerCase(lambda: ub.Conv3D(2, 2, layout="channels_last"), SOLID),
}
