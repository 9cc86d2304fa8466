"""Transposed convolutions, and those of each channel apart."""

from __future__ import annotations

import unified_blocks as ub
from pytest_unified_blocks.layer_cases.case import LayerCase

LINE = ((2, 4, 5), (1, 4, 4))
IMAGE = ((2, 4, 3, 4), (1, 4, 4, 3))
SOLID = ((2, 4, 3, 2, 3),)

TRANSPOSED: dict[str, LayerCase] = {
    "Conv2DTranspose": LayerCase(lambda: ub.Conv2DTranspose(3, 3), IMAGE),
    "Conv2DTranspose strides": LayerCase(lambda: ub.Conv2DTranspose(3, (3, 2), (2, 1)), IMAGE),
    "Conv2DTranspose strides above": LayerCase(lambda: ub.Conv2DTranspose(3, 2, 3), IMAGE),
    "Conv2DTranspose padding": LayerCase(lambda: ub.Conv2DTranspose(3, 4, 2, 1), IMAGE),
    "Conv2DTranspose each": LayerCase(lambda: ub.Conv2DTranspose(3, 3, 2, (1, 2)), IMAGE),
    "Conv2DTranspose uneven": LayerCase(
        lambda: ub.Conv2DTranspose(3, 4, 2, ((0, 1), (2, 1))), IMAGE
    ),
    "Conv2DTranspose same": LayerCase(lambda: ub.Conv2DTranspose(3, 3, 2, ((0, 1), (0, 1))), IMAGE),
    "Conv2DTranspose output": LayerCase(lambda: ub.Conv2DTranspose(3, 3, 2, 1, 1), IMAGE),
    "Conv2DTranspose output alone": LayerCase(
        lambda: ub.Conv2DTranspose(3, 2, 3, 0, (1, 2)), IMAGE
    ),
    "Conv2DTranspose output uneven": LayerCase(
        lambda: ub.Conv2DTranspose(3, 3, 3, ((1, 0), (0, 1)), 2), IMAGE
    ),
    "Conv2DTranspose dilation": LayerCase(
        lambda: ub.Conv2DTranspose(3, 3, dilation=(2, 1), padding=2), IMAGE
    ),
    "Conv2DTranspose dilated steps": LayerCase(
        lambda: ub.Conv2DTranspose(3, 3, (2, 1), 1, dilation=(2, 3)), IMAGE
    ),
    "Conv2DTranspose dilated output": LayerCase(
        lambda: ub.Conv2DTranspose(3, 2, 1, ((0, 1), (0, 0)), 2, dilation=3), IMAGE
    ),
    "Conv2DTranspose groups": LayerCase(lambda: ub.Conv2DTranspose(6, 3, 2, 1, groups=2), IMAGE),
    "Conv2DTranspose dilated groups": LayerCase(
        lambda: ub.Conv2DTranspose(6, 3, 2, 1, dilation=2, groups=2), IMAGE
    ),
    "Conv2DTranspose activation": LayerCase(
        lambda: ub.Conv2DTranspose(3, 3, 2, ((1, 0), (0, 0)), activation="gelu"), IMAGE
    ),
    "Conv2DTranspose no bias": LayerCase(
        lambda: ub.Conv2DTranspose(3, 2, 3, 1, use_bias=False), IMAGE
    ),
    "Conv2DTranspose one": LayerCase(lambda: ub.Conv2DTranspose(1, 2, in_channels=4), IMAGE),
    "Conv2DTranspose last": LayerCase(
        lambda: ub.Conv2DTranspose(3, (3, 2), 2, ((1, 0), (0, 1)), 1, layout="channels_last"),
        ((2, 3, 4, 4),),
    ),
    "Conv1DTranspose": LayerCase(lambda: ub.Conv1DTranspose(3, 4, 2, ((2, 1),)), LINE),
    "Conv1DTranspose above": LayerCase(lambda: ub.Conv1DTranspose(3, 2, 3, 1, 2), LINE),
    "Conv1DTranspose dilation": LayerCase(
        lambda: ub.Conv1DTranspose(4, 3, 2, 1, dilation=2, groups=4, activation="tanh"), LINE
    ),
    "Conv1DTranspose last": LayerCase(
        lambda: ub.Conv1DTranspose(3, 2, layout="channels_last"), LINE
    ),
    "Conv3DTranspose": LayerCase(lambda: ub.Conv3DTranspose(3, 2, 2), SOLID),
    "Conv3DTranspose padding": LayerCase(
        lambda: ub.Conv3DTranspose(2, (2, 3, 3), (1, 2, 3), (0, 1, 1), (0, 1, 2)), SOLID
    ),
    "Conv3DTranspose dilation": LayerCase(
        lambda: ub.Conv3DTranspose(4, 2, 1, ((1, 0), (0, 0), (0, 1)), dilation=2, groups=2), SOLID
    ),
    "Conv3DTranspose last": LayerCase(
        lambda: ub.Conv3DTranspose(2, 2, layout="channels_last", activation="elu"), SOLID
    ),
    "DepthwiseConv2D": LayerCase(lambda: ub.DepthwiseConv2D(3), IMAGE),
    "DepthwiseConv2D multiplier": LayerCase(
        lambda: ub.DepthwiseConv2D((2, 3), multiplier=2), IMAGE
    ),
    "DepthwiseConv2D strides": LayerCase(lambda: ub.DepthwiseConv2D(3, 2, 1), IMAGE),
    "DepthwiseConv2D each": LayerCase(
        lambda: ub.DepthwiseConv2D(3, (2, 1), ((0, 1), (2, 1)), in_channels=4), IMAGE
    ),
    "DepthwiseConv2D dilation": LayerCase(
        lambda: ub.DepthwiseConv2D(2, (2, 1), 2, (2, 3), use_bias=False), IMAGE
    ),
    "DepthwiseConv2D same": LayerCase(
        lambda: ub.DepthwiseConv2D((3, 2), padding="same", activation="tanh"), IMAGE
    ),
    "DepthwiseConv2D last": LayerCase(
        lambda: ub.DepthwiseConv2D(2, padding=1, multiplier=3, layout="channels_last"), IMAGE
    ),
    "SeparableConv2D": LayerCase(lambda: ub.SeparableConv2D(5, 3), IMAGE),
    "SeparableConv2D all": LayerCase(
        lambda: ub.SeparableConv2D(
            3, 2, 2, 1, multiplier=2, activation="relu", in_channels=4, use_bias=False
        ),
        IMAGE,
    ),
    "SeparableConv2D last": LayerCase(
        lambda: ub.SeparableConv2D(3, 3, padding="same", layout="channels_last"), IMAGE
    ),
}
"""Convolutions that are not plain ones."""
