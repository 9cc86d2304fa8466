"""Causes that lie in where the channels of images are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unified_blocks.equivalence.causes.evidence import Evidence


def another_layout(e: Evidence) -> bool:
    """Channels are on the last axis in one model and not in the other, where they must be alike."""
    if e.a is None or e.b is None or e.a.ndim != e.b.ndim or e.a.ndim < 3:
        return False
    if e.what == "parameter":
        sizes = [pair for pair in zip(e.a.shape, e.b.shape, strict=True) if len({*pair}) > 1]
        return _read_along_another_axis(e, sizes)
    return e.what in ("call", "gradient") and any(
        e.gives(np.moveaxis(e.a, *ends)) for ends in ((1, -1), (-1, 1))
    )


def _read_along_another_axis(e: Evidence, sizes: Sequence[tuple[int, int]]) -> bool:
    """Whether a convolution was made for as many channels as the images have rows, or columns."""
    if e.kind is None or not e.kind.startswith("Conv") or e.x is None or e.x.ndim < 3:
        return False
    return len(sizes) == 1 and {*sizes[0]} <= {*e.x.shape[1:]}
