"""How a pooling may have been made that gives what one gave."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice, product

import numpy as np

from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.equivalence.causes.settings import Setting
from unified_blocks.reference.policy import explains, wide
from unified_blocks.types import Array

LARGEST = 16
"""The largest window that is tried."""
TRIED = 10_000
"""How many ways are tried at most."""
NEAR = 1e-2
"""How far numbers may be apart that are looked at, as a share of the largest."""


@dataclass(frozen=True)
class Axis:
    """How windows may lie on one axis.

    Attributes:
        size: of the image there.
        count: how many windows there are.
        window: the size of one.
        before: how far before the image the first begins.
        stride: from one window to the next; None where there is one.
    """

    size: int
    count: int
    window: int
    before: int
    stride: int | None

    def start(self, i: int) -> int:
        return i * (self.stride or 0) - self.before

    def inside(self, i: int) -> slice:
        """What of the image is in a window."""
        return slice(max(self.start(i), 0), min(self.start(i) + self.window, self.size))

    def count_inside(self, i: int) -> int:
        """How many places of a window are in the image."""
        return min(self.start(i) + self.window, self.size) - max(self.start(i), 0)

    def count_padded(self, i: int) -> int:
        """How many are in the image or in its padding, if that is as much after as before it."""
        return min(self.start(i) + self.window, self.size + self.before) - self.start(i)


def poolings(e: Evidence) -> tuple[list[Setting], list[Setting]]:
    """The settings of a pooling that give what each model gave."""
    assert e.x is not None
    assert e.a is not None
    assert e.b is not None
    arrays = [wide(array) for array in (e.x, e.a, e.b)]
    for channels in (1, -1):
        x, a, b = (np.moveaxis(array, channels, 1) for array in arrays)
        if x.shape[:2] == a.shape[:2] == b.shape[:2]:
            most = int(np.argmax(np.abs(x).reshape(len(x), -1).sum(1)))
            right, wrong = (list(_settings(e, x[most], y[most])) for y in (a, b))
            if right and wrong:
                return right, wrong
    return [], []


def _settings(e: Evidence, x: Array, y: Array) -> Iterator[Setting]:
    """The settings with which an image gives `y`."""
    ways = [list(_ways(n, m)) for n, m in zip(x.shape[1:], y.shape[1:], strict=True)]
    likely = list(islice(_likely(x, y, ways), TRIED + 1))
    if len(likely) > TRIED:
        return
    everywhere = [range(m) for m in y.shape[1:]]
    ends = [sorted({0, m - 1}) for m in y.shape[1:]]
    at_ends = y[np.ix_(range(len(y)), *ends)]
    for axes in likely:
        fitting = {way for way, z in _pooled(x, axes, ends) if explains(z, at_ends, e.dtype)}
        for way, z in _pooled(x, axes, everywhere) if fitting else ():
            if way in fitting and explains(z, y, e.dtype):
                joined, padded = way
                layer = (joined, *((axis.window, axis.stride) for axis in axes))
                yield Setting(layer, (tuple(axis.before for axis in axes), padded))


def _ways(n: int, m: int) -> Iterator[Axis]:
    """How an axis of size `n` may become one of size `m`."""
    for window in range(1, min(n, LARGEST) + 1):
        for before in range(window // 2 + 1):
            for stride in range(1, n + 1) if m > 1 else (None,):
                axis = Axis(n, m, window, before, stride)
                last = axis.start(m - 1)
                step = stride or window
                more = last + step + window <= n  # another window would be in the image
                if last < n and not more and last + window - n < window // 2 + step:
                    yield axis


def _likely(x: Array, y: Array, ways: Sequence[Sequence[Axis]]) -> Iterator[tuple[Axis, ...]]:
    """Those ways on all axes that may give the first number of each channel."""
    by_end: list[dict[int, list[Axis]]] = []
    for several in ways:
        by_end.append(defaultdict(list))
        for axis in several:
            by_end[-1][axis.inside(0).stop].append(axis)
    wanted = y.reshape(*y.shape[:1], -1)[:, 0]
    for ends in product(*by_end):
        box = x[(slice(None), *map(slice, ends))].reshape(len(x), -1)
        largest, total = box.max(1), box.sum(1)
        mean = total * (wanted @ total) / (total @ total)  # of as many as it may be
        if any(_is_near(z, wanted) for z in (largest, np.maximum(largest, 0), mean)):
            yield from product(*(found[end] for found, end in zip(by_end, ends, strict=True)))


def _is_near(a: Array, b: Array) -> bool:
    return bool((np.abs(a - b) <= NEAR * np.abs(b).max()).all())


def _pooled(
    x: Array, axes: Sequence[Axis], windows: Sequence[Sequence[int]]
) -> Iterator[tuple[tuple[str, str], Array]]:
    """What an image gives in these windows of each axis, by how it is joined and padded."""

    def counts(of: Callable[[Axis, int], int]) -> Array:
        each = [[of(axis, i) for i in chosen] for axis, chosen in zip(axes, windows, strict=True)]
        return reduce(np.multiply.outer, [np.array(count) for count in each])

    largest, total = (_joined(x, axes, windows, join) for join in (np.max, np.sum))
    whole = math.prod(axis.window for axis in axes)
    inside = counts(Axis.count_inside)
    yield ("max", "left out"), largest
    yield ("mean", "left out"), total / inside
    if (inside < whole).any():
        yield ("max", "as zeros"), np.where(inside < whole, np.maximum(largest, 0), largest)
        yield ("mean", "as zeros"), total / whole
        yield ("mean", "as zeros, cut off"), total / counts(Axis.count_padded)


def _joined(
    x: Array, axes: Sequence[Axis], windows: Sequence[Sequence[int]], join: Callable[..., Array]
) -> Array:
    for place, (axis, chosen) in enumerate(zip(axes, windows, strict=True), 1):
        before = (slice(None),) * place
        x = np.stack([join(x[(*before, axis.inside(i))], place) for i in chosen], place)
    return x
