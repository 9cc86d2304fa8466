"""Operations that take numbers by their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation, axis_of
from unified_blocks.types import Array


@dataclass(frozen=True)
class Take(Operation):
    """Parts along an axis by their places. Takes x and whole numbers, each inside of the axis."""

    axis: int

    def infer(self, *inputs: Any) -> Given:
        x, places = inputs
        axis = axis_of(self.axis, len(x.shape))
        return [((*x.shape[:axis], *places.shape, *x.shape[axis + 1 :]), x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        return arrays[0].take(arrays[1].astype("int64"), self.axis)


@dataclass(frozen=True)
class TakeAlong(Operation):
    """One number by its place along an axis, for each place of the others.

    Takes x and whole numbers, that have the shape of x on all other axes, and a length of their own
    on this one.
    """

    axis: int

    def infer(self, *inputs: Any) -> Given:
        x, places = inputs
        axis = axis_of(self.axis, len(x.shape))
        expected = (*x.shape[:axis], *places.shape[axis : axis + 1], *x.shape[axis + 1 :])
        if places.shape != expected:
            raise ValueError(f"places of {places.shape} along axis {axis} of {x.shape}")
        return [(places.shape, x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        return np.take_along_axis(arrays[0], arrays[1].astype("int64"), self.axis)


@dataclass(frozen=True)
class GatherNd(Operation):
    """Parts by their place on the first axes: `x[places[0], places[1], …]`.

    Takes x and whole numbers, `(axes, …)`.
    """

    def infer(self, *inputs: Any) -> Given:
        x, places = inputs
        count = places.shape[0]
        if count > len(x.shape):
            raise ValueError(f"places on {count} axes of {x.shape}")
        return [((*places.shape[1:], *x.shape[count:]), x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        return np.asarray(arrays[0][tuple(arrays[1].astype("int64"))])


@dataclass(frozen=True)
class OneHot(Operation):
    """One at the place that a whole number says, along a new last axis; else zero."""

    depth: int
    dtype: str = "float32"

    def infer(self, *inputs: Any) -> Given:
        return [((*inputs[0].shape, self.depth), self.dtype)]

    def compute(self, *arrays: Array) -> Array:
        return np.asarray(arrays[0][..., None] == np.arange(self.depth), self.dtype)
