"""Operations on images, and what they mean in NumPy."""

from typing import Any

import numpy as np

from pytest_unified_blocks.op_cases.case import OpCase
from unified_blocks import ops

MODES: tuple[Any, ...] = ("reflect", "edge")
WIDTHS = ((0, 1), (0, 0), (2, 1), (0, 3))


def np_resize(x, sizes, method, align_corners=False):
    """One axis after the other, by the formula in the docstring of `ops.resize`."""
    for axis, m in zip(range(x.ndim - len(sizes), x.ndim), sizes, strict=True):
        n, place = x.shape[axis], np.arange(m)
        if method == "nearest":
            x = x.take(place * n // m, axis)
            continue
        at = (place + 0.5) * n / m - 0.5
        if align_corners:
            at = place * (n - 1) / max(m - 1, 1)
        at = np.clip(at, 0, n - 1)
        low = np.floor(at).astype(int)
        share = (at - low).astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1 - axis))
        x = x.take(low, axis) * (1 - share) + x.take(np.minimum(low + 1, n - 1), axis) * share
    return x


def resized(label, shape, sizes, method, **options: Any):
    return OpCase(
        "resize",
        lambda x: ops.resize(x, sizes, method=method, **options),
        lambda x: np_resize(x, sizes, method, **options),
        (shape,),
        label=label,
    )


IMAGES = [
    OpCase(
        "pad",
        lambda x: ops.pad(x, WIDTHS),
        lambda x: np.pad(x, WIDTHS),
        ((2, 3, 4, 5),),
    ),
    OpCase(
        "pad",
        lambda x: ops.pad(x, ((1, 2), (0, 0)), value=-1.5),
        lambda x: np.pad(x, ((1, 2), (0, 0)), constant_values=-1.5),
        label="value",
    ),
    *(
        OpCase(
            "pad",
            lambda x, mode=mode: ops.pad(x, WIDTHS, mode=mode),
            lambda x, mode=mode: np.pad(x, WIDTHS, mode=mode),
            ((2, 3, 4, 5),),
            label=mode,
        )
        for mode in MODES
    ),
    resized("nearest", (2, 3, 4, 5), (7, 3), "nearest"),
    resized("nearest one axis", (3, 5), (15,), "nearest"),
    resized("nearest thirds", (1, 2, 7, 6), (21, 4), "nearest"),
    resized("bilinear", (2, 3, 4, 5), (7, 3), "bilinear"),
    resized("bilinear to one", (2, 3, 4, 5), (1, 9), "bilinear"),
    resized("corners", (2, 3, 4, 5), (7, 3), "bilinear", align_corners=True),
    resized("corners to one", (2, 3, 4, 5), (1, 9), "bilinear", align_corners=True),
    resized("linear", (2, 3, 4), (6,), "bilinear"),
    resized("trilinear", (1, 2, 3, 4, 2), (5, 3, 4), "bilinear"),
]
