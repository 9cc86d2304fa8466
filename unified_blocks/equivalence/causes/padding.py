"""Padding of an image: by a convolution, by a pooling, or by itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unified_blocks.equivalence.causes.convolutions import convolutions
from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.equivalence.causes.pooling import poolings
from unified_blocks.equivalence.causes.settings import Setting, differ_in_padding
from unified_blocks.reference.policy import explains, wide
from unified_blocks.types import Array

MODES = ("reflect", "edge", "wrap", "symmetric")
"""What an image may be padded with, but for one number, as `numpy.pad` calls it."""
SAMPLED = 16
NEAR = 1e-2
"""How far numbers may be apart that are looked at, as a share of the largest."""


def another_padding(e: Evidence) -> bool:
    """An image is padded otherwise: before or after it, not as much, or with other numbers."""
    if e.what != "call" or e.x is None or e.a is None or e.b is None:
        return False
    if not e.x.ndim == e.a.ndim == e.b.ndim >= 3:
        return False
    shapes_differ = e.a.shape != e.b.shape
    return any(differ_in_padding(*found, shapes_differ) for found in _ways(e, e.a, e.b))


def _ways(e: Evidence, a: Array, b: Array) -> Iterator[tuple[list[Setting], list[Setting]]]:
    """The settings that give what each model gave, of each kind of layer that pads."""
    yield list(_paddings(e, a)), list(_paddings(e, b))
    yield from convolutions(e)
    if not e.numbers:
        yield poolings(e)


def _paddings(e: Evidence, array: Array) -> Iterator[Setting]:
    """How the input was padded to give this array, larger than it is."""
    assert e.x is not None
    x, y = e.x_wide, wide(array)
    more = [m - n for n, m in zip(x.shape, y.shape, strict=True)]
    if min(more) < 0 or not any(more):
        return
    near = np.full([n + 1 for n in more], True)  # where the image may begin, by a few numbers
    for number in np.linspace(0, x.size - 1, SAMPLED).astype(int):
        at = np.unravel_index(number, x.shape)
        places = tuple(slice(i, i + n + 1) for i, n in zip(at, more, strict=True))
        near &= np.abs(y[places] - x[at]) <= NEAR * np.abs(x).max()
    for before in map(tuple, np.argwhere(near)):
        inside = tuple(slice(b, b + n) for b, n in zip(before, x.shape, strict=True))
        if not explains(x, y[inside], e.dtype):
            continue
        around = [(b, n - b) for b, n in zip(before, more, strict=True)]
        corner = float(y.flat[0 if any(before) else -1])
        for mode in MODES:
            if explains(np.pad(x, around, mode), y, e.dtype):  # type: ignore[call-overload]
                yield Setting((), (before, mode))
        if explains(np.pad(x, around, constant_values=corner), y, e.dtype):
            yield Setting((), (before, corner))
