"""Layers that pool: windows that overlap, leave gaps, reach beyond the padding, or see all."""

from __future__ import annotations

from functools import partial
from typing import Any

import unified_blocks as ub
from pytest_unified_blocks.layer_cases.case import LayerCase
from pytest_unified_blocks.layer_cases.images import IMAGE, LINE, SOLID

BOTH: dict[str, dict[str, Any]] = {
    "": {"pool_size": 2},
    " strides": {"pool_size": (3, 2), "strides": (2, 1)},
    " strides above": {"pool_size": 2, "strides": 3, "padding": 1},
    " padding": {"pool_size": 3, "strides": 2, "padding": 1},
    " wide padding": {"pool_size": 3, "strides": 2, "padding": (2, 1)},
    " uneven": {"pool_size": 3, "strides": 2, "padding": ((0, 1), (2, 1))},
    " same": {"pool_size": 3, "strides": 1, "padding": "same"},
    " same even": {"pool_size": 2, "strides": 1, "padding": "same"},
    " ceil": {"pool_size": 3, "strides": 2, "ceil_mode": True},
    " ceil padding": {"pool_size": 3, "strides": 2, "padding": 1, "ceil_mode": True},
    " ceil uneven": {"pool_size": 3, "strides": 2, "padding": ((1, 0), (0, 2)), "ceil_mode": True},
    " ceil drops": {"pool_size": 2, "strides": 3, "padding": 1, "ceil_mode": True},
    " full": {"pool_size": 3, "strides": 2, "padding": 1, "ceil_mode": "full"},
    " last": {"pool_size": 3, "strides": 2, "padding": 1, "layout": "channels_last"},
}
"""Arguments of layers that take the largest or the mean."""

POOLING: dict[str, LayerCase] = {
    **{
        f"{cls.__name__}{label}": LayerCase(partial(cls, **arguments), IMAGE)
        for cls in (ub.MaxPool2D, ub.AvgPool2D)
        for label, arguments in BOTH.items()
    },
    **{
        f"AvgPool2D image alone{label}": LayerCase(
            partial(ub.AvgPool2D, count_include_pad=False, **arguments), IMAGE
        )
        for label, arguments in BOTH.items()
        if "padding" in arguments
    },
    "AvgPool2D full beyond": LayerCase(
        lambda: ub.AvgPool2D(2, 3, padding=1, ceil_mode="full"), ((2, 4, 6, 5), (1, 2, 8, 4))
    ),
    "AvgPool2D image alone full beyond": LayerCase(
        lambda: ub.AvgPool2D(2, 3, padding=1, ceil_mode="full", count_include_pad=False),
        ((2, 4, 5, 5), (1, 2, 8, 4)),
    ),
    "MaxPool2D one": LayerCase(lambda: ub.MaxPool2D(2), ((1, 1, 2, 3),)),
    "MaxPool1D": LayerCase(lambda: ub.MaxPool1D(3, 2, padding=((1, 0),)), LINE),
    "MaxPool1D last": LayerCase(lambda: ub.MaxPool1D(2, layout="channels_last"), LINE),
    "AvgPool1D": LayerCase(lambda: ub.AvgPool1D(3, 2, padding=1, ceil_mode=True), LINE),
    "AvgPool1D last": LayerCase(
        lambda: ub.AvgPool1D(2, padding=((1, 0),), count_include_pad=False, layout="channels_last"),
        LINE,
    ),
    "MaxPool3D": LayerCase(lambda: ub.MaxPool3D((2, 3, 2), 2, padding=(1, 1, 0)), SOLID),
    "MaxPool3D last": LayerCase(lambda: ub.MaxPool3D(2, layout="channels_last"), SOLID),
    "AvgPool3D": LayerCase(
        lambda: ub.AvgPool3D(2, padding=((1, 0), (0, 1), (0, 0)), count_include_pad=False), SOLID
    ),
    "AvgPool3D last": LayerCase(lambda: ub.AvgPool3D((1, 2, 2), layout="channels_last"), SOLID),
    **{
        cls.__name__: LayerCase(cls, shapes)
        for cls, shapes in (
            (ub.GlobalMaxPool1D, LINE),
            (ub.GlobalMaxPool2D, IMAGE),
            (ub.GlobalMaxPool3D, SOLID),
            (ub.GlobalAvgPool1D, LINE),
            (ub.GlobalAvgPool2D, IMAGE),
            (ub.GlobalAvgPool3D, SOLID),
        )
    },
    **{
        f"{cls.__name__} last": LayerCase(partial(cls, layout="channels_last"), IMAGE)
        for cls in (ub.GlobalMaxPool2D, ub.GlobalAvgPool2D)
    },
    "AdaptiveAvgPool2D": LayerCase(lambda: ub.AdaptiveAvgPool2D((3, 4)), IMAGE),
    "AdaptiveAvgPool2D one": LayerCase(lambda: ub.AdaptiveAvgPool2D(1), IMAGE),
    "AdaptiveAvgPool2D above": LayerCase(
        lambda: ub.AdaptiveAvgPool2D((5, 9), layout="channels_last"), IMAGE
    ),
}
"""The pooling layers. `"same"` with steps above 1 is not among them: MXNet has no graph of it."""
