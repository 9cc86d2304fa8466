"""Normalisations: with and without weight and bias, groups of one and all, both layouts."""

from __future__ import annotations

import unified_blocks as ub
from pytest_unified_blocks.layer_cases.case import LayerCase

LAST = "channels_last"
ANY = ((4, 6), (3, 6, 5), (2, 6, 3, 4), (2, 6, 3, 1, 2))
TURNED = ((4, 6), (3, 5, 6), (2, 3, 4, 6))
IMAGE = ((2, 6, 3, 4), (3, 6, 5), (1, 6, 2, 3, 2))
IMAGE_LAST = ((2, 3, 4, 6), (3, 5, 6))

NORMS = {
    "LayerNorm": LayerCase(ub.LayerNorm),
    "LayerNorm epsilon": LayerCase(lambda: ub.LayerNorm(epsilon=0.1)),
    "LayerNorm units": LayerCase(lambda: ub.LayerNorm(in_units=6), ((4, 6), (4, 3, 6))),
    "LayerNorm 2 axes": LayerCase(lambda: ub.LayerNorm(axes=2), ((3, 4, 5), (2, 3, 4, 5))),
    "LayerNorm 3 axes": LayerCase(lambda: ub.LayerNorm(axes=3), ((2, 3, 4, 5),)),
    "RMSNorm": LayerCase(ub.RMSNorm),
    "RMSNorm epsilon": LayerCase(lambda: ub.RMSNorm(epsilon=0.1)),
    "RMSNorm units": LayerCase(lambda: ub.RMSNorm(in_units=6), ((4, 6), (4, 3, 6))),
    "BatchNorm": LayerCase(ub.BatchNorm, ANY),
    "BatchNorm epsilon": LayerCase(lambda: ub.BatchNorm(epsilon=0.1)),
    "BatchNorm units": LayerCase(lambda: ub.BatchNorm(in_units=6), ANY),
    "BatchNorm no scale": LayerCase(lambda: ub.BatchNorm(scale=False), ANY),
    "BatchNorm no center": LayerCase(lambda: ub.BatchNorm(center=False), ANY),
    "BatchNorm bare": LayerCase(lambda: ub.BatchNorm(scale=False, center=False), ANY),
    "BatchNorm global": LayerCase(lambda: ub.BatchNorm(use_global_stats=True)),
    "BatchNorm last": LayerCase(lambda: ub.BatchNorm(layout=LAST), TURNED),
    "BatchNorm last units": LayerCase(
        lambda: ub.BatchNorm(in_units=6, scale=False, layout=LAST), TURNED
    ),
    "GroupNorm": LayerCase(lambda: ub.GroupNorm(3), IMAGE),
    "GroupNorm rows": LayerCase(lambda: ub.GroupNorm(2), ((4, 6),)),
    "GroupNorm one": LayerCase(lambda: ub.GroupNorm(1), IMAGE),
    "GroupNorm units": LayerCase(lambda: ub.GroupNorm(2, in_units=6, epsilon=0.1), IMAGE),
    "GroupNorm no scale": LayerCase(lambda: ub.GroupNorm(2, scale=False), IMAGE),
    "GroupNorm no center": LayerCase(lambda: ub.GroupNorm(2, center=False), IMAGE),
    "GroupNorm bare": LayerCase(lambda: ub.GroupNorm(2, scale=False, center=False), IMAGE),
    "GroupNorm last": LayerCase(lambda: ub.GroupNorm(3, layout=LAST), IMAGE_LAST),
    "InstanceNorm": LayerCase(ub.InstanceNorm, IMAGE),
    "InstanceNorm units": LayerCase(lambda: ub.InstanceNorm(in_units=6, epsilon=0.1), IMAGE),
    "InstanceNorm no scale": LayerCase(lambda: ub.InstanceNorm(scale=False), IMAGE),
    "InstanceNorm bare": LayerCase(lambda: ub.InstanceNorm(scale=False, center=False), IMAGE),
    "InstanceNorm last": LayerCase(lambda: ub.InstanceNorm(layout=LAST), IMAGE_LAST),
    "LocalResponseNorm": LayerCase(lambda: ub.LocalResponseNorm(3, 0.5), IMAGE),
    "LocalResponseNorm even": LayerCase(lambda: ub.LocalResponseNorm(4, 0.5, 0.6, 1.5), IMAGE),
    "LocalResponseNorm wide": LayerCase(lambda: ub.LocalResponseNorm(15, 0.5, 1.0), IMAGE),
    "LocalResponseNorm last": LayerCase(
        lambda: ub.LocalResponseNorm(3, 0.5, layout=LAST), IMAGE_LAST
    ),
}
