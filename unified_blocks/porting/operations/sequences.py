"""Sequences of which each has its own length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation
from unified_blocks.reference.numpy_ops import softmax
from unified_blocks.types import Array, Shape


@dataclass(frozen=True)
class OfSequences(Operation):
    """Base of the operations on sequences. Each takes x, and perhaps the lengths `(n,)`.

    Attributes:
        axis: of the steps: 0 of `(t, n, …)`, 1 of `(n, t, …)`.
    """

    axis: int

    def infer(self, *inputs: Any) -> Given:
        x, *lengths = inputs
        if any(each.shape != (x.shape[1 - self.axis],) for each in lengths):
            raise ValueError(f"lengths of {lengths[0].shape} for sequences of {x.shape}")
        return [(self.gives(x.shape), x.dtype)]

    def gives(self, shape: Shape) -> Shape:
        """The shape of what it gives."""
        return shape

    def steps(self, x: Array, lengths: tuple[Array, ...]) -> tuple[Array, Array]:
        """The number of each step, and the length of its sequence, along the first two axes."""
        t, n = x.shape[self.axis], x.shape[1 - self.axis]
        steps, ends = np.arange(t), lengths[0] if lengths else np.full(n, t)
        return (steps[:, None], ends) if self.axis == 0 else (steps, ends[:, None])


@dataclass(frozen=True)
class SequenceMask(OfSequences):
    """What comes after the end of each sequence is one number.

    Attributes:
        value: which.
    """

    value: float = 0.0

    def compute(self, *arrays: Array) -> Array:
        x, *lengths = arrays
        steps, ends = self.steps(x, tuple(lengths))
        inside = (steps < ends).reshape(*x.shape[:2], *[1] * (x.ndim - 2))
        return np.where(inside, x, np.asarray(self.value, x.dtype))


@dataclass(frozen=True)
class SequenceLast(OfSequences):
    """The last step of each sequence."""

    def gives(self, shape: Shape) -> Shape:
        return (shape[1 - self.axis], *shape[2:])

    def compute(self, *arrays: Array) -> Array:
        x, *lengths = arrays
        x = x.swapaxes(0, self.axis)
        return np.asarray(x[lengths[0].astype(int) - 1, range(x.shape[1])] if lengths else x[-1])


@dataclass(frozen=True)
class SequenceReverse(OfSequences):
    """Each sequence from its end to its begin; what comes after its end stays."""

    def compute(self, *arrays: Array) -> Array:
        x, *lengths = arrays
        steps, ends = self.steps(x, tuple(lengths))
        sources = np.where(steps < ends, ends - 1 - steps, steps).astype(int)
        return np.take_along_axis(x, sources.reshape(*x.shape[:2], *[1] * (x.ndim - 2)), self.axis)


@dataclass(frozen=True)
class MaskedSoftmax(Operation):
    """Softmax of the first numbers along an axis; the others are 0, all where the length is 0.

    Takes x, and the lengths, which have no such axis.

    Attributes:
        axis: along which the sum is 1.
    """

    axis: int

    def infer(self, *inputs: Any) -> Given:
        x, lengths = inputs
        if lengths.shape != (*x.shape[: self.axis], *x.shape[self.axis + 1 :]):
            raise ValueError(f"lengths of {lengths.shape} along axis {self.axis} of {x.shape}")
        return [(x.shape, x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        x, lengths = arrays
        steps = np.arange(x.shape[self.axis]).reshape(-1, *[1] * (x.ndim - 1 - self.axis))
        inside = steps < np.expand_dims(lengths, self.axis)
        lowest = np.asarray(np.finfo(x.dtype).min, x.dtype)
        return np.where(inside, softmax(np.where(inside, x, lowest), self.axis), 0)
