"""Activations of images, and what else has an axis: in both layouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import unified_blocks as ub
from pytest_unified_blocks.layer_cases.case import LayerCase


def last(make: Callable[[], Any]) -> Callable[[], Any]:
    """`make`, in the layout `"channels_last"`."""

    def made() -> Any:
        with ub.use_layout("channels_last"):
            return make()

    return made


def joined(axis: int | str) -> Callable[[], Any]:
    return lambda: ub.Parallel(ub.ReLU(), ub.Tanh(), axis=axis)


IMAGE = ((2, 3, 4, 5),)
ACTIVATIONS = {
    "PReLU": LayerCase(ub.PReLU, ((2, 6, 3, 4), (4, 6))),
    "PReLU channels": LayerCase(lambda: ub.PReLU(6), ((2, 6, 3, 4), (4, 6), (3, 6, 5))),
    "PReLU last": LayerCase(
        lambda: ub.PReLU(6, layout="channels_last"), ((2, 3, 4, 6), (4, 6), (3, 5, 6))
    ),
    "PReLU one last": LayerCase(lambda: ub.PReLU(layout="channels_last"), ((2, 3, 4, 6),)),
    "Softmax channels": LayerCase(lambda: ub.Softmax("channels"), (*IMAGE, (4, 6))),
    "Softmax channels last": LayerCase(last(lambda: ub.Softmax("channels")), (*IMAGE, (2, 3, 4))),
    "Softmax 1 last": LayerCase(last(lambda: ub.Softmax(1)), (*IMAGE, (4, 6))),
    "LogSoftmax -1 last": LayerCase(last(ub.LogSoftmax), (*IMAGE, (2, 3, 4), (4, 6))),
    "Parallel channels": LayerCase(joined("channels"), (*IMAGE, (2, 3, 4))),
    "Parallel channels last": LayerCase(last(joined("channels")), (*IMAGE, (2, 3, 4))),
    "Parallel 1 last": LayerCase(last(joined(1)), (*IMAGE, (4, 6))),
    "Parallel -1 last": LayerCase(last(joined(-1)), (*IMAGE, (2, 3, 4), (4, 6))),
    "Dropout axes": LayerCase(lambda: ub.Dropout(0.5, (2, 3)), IMAGE),
    "Flatten last": LayerCase(last(ub.Flatten), (*IMAGE, (2, 3, 4), (4, 6))),
}
