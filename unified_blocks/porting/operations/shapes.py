"""Operations that move numbers and compute none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation, Same, axes_of, axis_of
from unified_blocks.types import Array, Shape


@dataclass(frozen=True)
class Reshape(Operation):
    """The same numbers, in the same order, in another shape.

    Attributes:
        shape: for the example; for another batch, the `growth` of what it gives tells.
    """

    shape: Shape

    def infer(self, *inputs: Any) -> Given:
        if math.prod(inputs[0].shape) != math.prod(self.shape):
            raise ValueError(f"{inputs[0].shape} as {self.shape}")
        return [(self.shape, inputs[0].dtype)]

    def compute(self, *arrays: Array) -> Array:
        shape = list(self.shape)
        if math.prod(shape) != arrays[0].size:  # another batch
            shape[0] = -1
        return arrays[0].reshape(shape)


@dataclass(frozen=True)
class Transpose(Operation):
    """The axes in another order."""

    axes: Shape

    def infer(self, *inputs: Any) -> Given:
        if sorted(self.axes) != list(range(len(inputs[0].shape))):
            raise ValueError(f"axes {self.axes} of {inputs[0].shape}")
        return [(tuple(inputs[0].shape[axis] for axis in self.axes), inputs[0].dtype)]

    def compute(self, *arrays: Array) -> Array:
        return arrays[0].transpose(self.axes)


@dataclass(frozen=True)
class Concat(Operation):
    """Several, one after another along an axis."""

    axis: int

    def infer(self, *inputs: Any) -> Given:
        axis = axis_of(self.axis, len(inputs[0].shape))
        others = {(*x.shape[:axis], *x.shape[axis + 1 :]) for x in inputs}
        if len(others) > 1:
            raise ValueError(f"{[x.shape for x in inputs]} along axis {axis}")
        shape = list(inputs[0].shape)
        shape[axis] = sum(x.shape[axis] for x in inputs)
        return [(tuple(shape), inputs[0].dtype)]

    def compute(self, *arrays: Array) -> Array:
        return np.concatenate(arrays, self.axis)


@dataclass(frozen=True)
class ExpandDims(Operation):
    """A new axis of length 1.

    Attributes:
        axis: its place in what is given, counted from the front.
    """

    axis: int

    def infer(self, *inputs: Any) -> Given:
        shape = inputs[0].shape
        axis = axis_of(self.axis, len(shape) + 1)
        return [((*shape[:axis], 1, *shape[axis:]), inputs[0].dtype)]

    def compute(self, *arrays: Array) -> Array:
        return np.expand_dims(arrays[0], self.axis)


@dataclass(frozen=True)
class Squeeze(Operation):
    """Without some axes of length 1."""

    axes: Shape

    def infer(self, *inputs: Any) -> Given:
        shape = inputs[0].shape
        gone = axes_of(self.axes, len(shape))
        if any(shape[axis] != 1 for axis in gone):
            raise ValueError(f"{shape} without axes {gone}")
        return [(tuple(n for i, n in enumerate(shape) if i not in gone), inputs[0].dtype)]

    def compute(self, *arrays: Array) -> Array:
        return np.squeeze(arrays[0], self.axes)


@dataclass(frozen=True)
class BroadcastTo(Operation):
    """The same numbers again along axes of length 1.

    Attributes:
        shape: for the example; for another batch, the `growth` of what it gives tells.
    """

    shape: Shape

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        if len(x.shape) != len(self.shape):
            raise ValueError(f"{x.shape} as {self.shape}")
        if np.broadcast_shapes(x.shape, self.shape) != self.shape:
            raise ValueError(f"{x.shape} as {self.shape}")
        return [(self.shape, x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        (x,) = arrays
        sizes = zip(x.shape, self.shape, strict=True)
        return np.broadcast_to(x, tuple(m if n == 1 else n for n, m in sizes))


@dataclass(frozen=True)
class BroadcastLike(Operation):
    """The first again along its axes of length 1, in the shape of the second."""

    def infer(self, *inputs: Any) -> Given:
        return [(BroadcastTo(inputs[1].shape).infer(inputs[0])[0][0], inputs[0].dtype)]

    def compute(self, *arrays: Array) -> Array:
        return np.broadcast_to(arrays[0], arrays[1].shape)


@dataclass(frozen=True)
class FillLike(Same):
    """One number, in the shape and dtype of what it takes."""

    number: float

    def compute(self, *arrays: Array) -> Array:
        return np.full_like(arrays[0], self.number)
