"""Operations that make one number of all along an axis, and those that put them in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation, axes_of, axis_of
from unified_blocks.types import Array, Shape

REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "min": np.min,
    "prod": np.prod,
}


def reduced(shape: Shape, axes: Shape, keepdims: bool) -> Shape:
    """The shape that is left of `shape`."""
    gone = axes_of(axes, len(shape))
    if keepdims:
        return tuple(1 if i in gone else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in gone)


@dataclass(frozen=True)
class Reduce(Operation):
    """One number of all along some axes.

    Attributes:
        function: a key of `REDUCTIONS`.
        axes: counted from the front, in order.
        keepdims: whether they stay, with a length of 1.
    """

    function: str
    axes: Shape
    keepdims: bool = False

    def infer(self, *inputs: Any) -> Given:
        return [(reduced(inputs[0].shape, self.axes, self.keepdims), inputs[0].dtype)]

    def compute(self, *arrays: Array) -> Array:
        (x,) = arrays
        made = REDUCTIONS[self.function](x, axis=self.axes, keepdims=self.keepdims)
        return np.asarray(made, x.dtype)


@dataclass(frozen=True)
class ArgReduce(Operation):
    """Where the largest or smallest number along an axis is, as int64; the first of equal ones.

    Attributes:
        function: `"argmax"` or `"argmin"`.
        axis: counted from the front.
        keepdims: whether the axis stays, with a length of 1.
    """

    function: str
    axis: int
    keepdims: bool = False

    def infer(self, *inputs: Any) -> Given:
        return [(reduced(inputs[0].shape, (self.axis,), self.keepdims), "int64")]

    def compute(self, *arrays: Array) -> Array:
        find = np.argmax if self.function == "argmax" else np.argmin
        return np.asarray(find(arrays[0], self.axis, keepdims=self.keepdims), "int64")


@dataclass(frozen=True)
class Sort(Operation):
    """Numbers in order along an axis; gives them, and where each was, as int64."""

    axis: int
    descending: bool = False

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        axis_of(self.axis, len(x.shape))
        return [(x.shape, x.dtype), (x.shape, "int64")]

    def compute(self, *arrays: Array) -> tuple[Array, Array]:
        (x,) = arrays
        order = np.argsort(-x if self.descending else x, self.axis, kind="stable")
        return np.take_along_axis(x, order, self.axis), order


@dataclass(frozen=True)
class TopK(Operation):
    """The `k` largest numbers along an axis, in order; gives them, and where each was, as int64.

    Attributes:
        k: how many.
        axis: counted from the front.
        largest: False for the smallest.
    """

    k: int
    axis: int
    largest: bool = True

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        axis = axis_of(self.axis, len(x.shape))
        if not 1 <= self.k <= x.shape[axis]:
            raise ValueError(f"the first {self.k} of {x.shape[axis]}")
        shape = (*x.shape[:axis], self.k, *x.shape[axis + 1 :])
        return [(shape, x.dtype), (shape, "int64")]

    def compute(self, *arrays: Array) -> tuple[Array, Array]:
        values, order = Sort(self.axis, self.largest).compute(*arrays)
        first = np.arange(self.k)
        return values.take(first, self.axis), order.take(first, self.axis)
