"""Operations that move numbers and compute none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation, axis_of
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
