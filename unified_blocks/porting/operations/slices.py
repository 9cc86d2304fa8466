"""Parts of a value, and values put together of several."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation, axis_of
from unified_blocks.types import Array, Shape


@dataclass(frozen=True)
class Slice(Operation):
    """A part of each axis, as Python's `x[start:stop:step, …]`.

    Attributes:
        starts, stops: for each axis; None, from or to the end of it.
        steps: for each axis.
    """

    starts: tuple[int | None, ...]
    stops: tuple[int | None, ...]
    steps: tuple[int, ...]

    @property
    def slices(self) -> tuple[slice, ...]:
        """The same as Python's."""
        parts = zip(self.starts, self.stops, self.steps, strict=True)
        return tuple(slice(start, stop, step) for start, stop, step in parts)

    def forward(self, shape: Shape) -> tuple[Shape, tuple[slice, ...]]:
        """The same without steps back: the axes that are turned first, and what is taken then."""
        turned, parts = [], list(self.slices)
        for axis, (part, n) in enumerate(zip(self.slices, shape, strict=True)):
            if part.step < 0:
                turned.append(axis)
                start, stop, step = part.indices(n)
                end = None if part.stop is None else n - 1 - stop
                parts[axis] = slice(n - 1 - start, end, -step)
        return tuple(turned), tuple(parts)

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        if len(self.starts) != len(x.shape):
            raise ValueError(f"a part of {len(self.starts)} axes of {x.shape}")
        parts = zip(x.shape, self.slices, strict=True)
        shape = tuple(len(range(*part.indices(n))) for n, part in parts)
        if 0 in shape and 0 not in x.shape:
            raise ValueError(f"an empty part of {x.shape}")
        return [(shape, x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        return arrays[0][self.slices]


@dataclass(frozen=True)
class Split(Operation):
    """Parts along an axis, one after another; gives each.

    Attributes:
        sizes: of the parts.
        axis: counted from the front.
    """

    sizes: Shape
    axis: int

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        axis = axis_of(self.axis, len(x.shape))
        if sum(self.sizes) != x.shape[axis]:
            raise ValueError(f"parts of {self.sizes} of {x.shape} along axis {axis}")
        return [((*x.shape[:axis], n, *x.shape[axis + 1 :]), x.dtype) for n in self.sizes]

    def compute(self, *arrays: Array) -> tuple[Array, ...]:
        ends = list(accumulate(self.sizes))[:-1]
        return tuple(np.split(arrays[0], ends, self.axis))


@dataclass(frozen=True)
class Unstack(Operation):
    """Each along an axis, without that axis; gives as many as it is long."""

    axis: int

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        axis = axis_of(self.axis, len(x.shape))
        return [((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype)] * x.shape[axis]

    def compute(self, *arrays: Array) -> tuple[Array, ...]:
        return tuple(np.moveaxis(arrays[0], self.axis, 0))


@dataclass(frozen=True)
class Stack(Operation):
    """Several of one shape, along a new axis.

    Attributes:
        axis: its place in what is given, counted from the front.
    """

    axis: int

    def infer(self, *inputs: Any) -> Given:
        shape = inputs[0].shape
        if any(each.shape != shape for each in inputs):
            raise ValueError(f"{[each.shape for each in inputs]} along a new axis")
        axis = axis_of(self.axis, len(shape) + 1)
        return [((*shape[:axis], len(inputs), *shape[axis:]), inputs[0].dtype)]

    def compute(self, *arrays: Array) -> Array:
        return np.stack(arrays, self.axis)


@dataclass(frozen=True)
class Tile(Operation):
    """The whole, so many times along each axis."""

    repeats: Shape

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        if len(self.repeats) != len(x.shape):
            raise ValueError(f"{self.repeats} times {x.shape}")
        shape = tuple(n * times for n, times in zip(x.shape, self.repeats, strict=True))
        return [(shape, x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        return np.tile(arrays[0], self.repeats)


@dataclass(frozen=True)
class Repeat(Operation):
    """Each along an axis so many times, one after another."""

    repeats: int
    axis: int

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        axis = axis_of(self.axis, len(x.shape))
        shape = (*x.shape[:axis], x.shape[axis] * self.repeats, *x.shape[axis + 1 :])
        return [(shape, x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        return np.repeat(arrays[0], self.repeats, self.axis)


@dataclass(frozen=True)
class Flip(Operation):
    """The last first, along some axes."""

    axes: Shape

    def infer(self, *inputs: Any) -> Given:
        for axis in self.axes:
            axis_of(axis, len(inputs[0].shape))
        return [(inputs[0].shape, inputs[0].dtype)]

    def compute(self, *arrays: Array) -> Array:
        return np.flip(arrays[0], self.axes)


@dataclass(frozen=True)
class Pad(Operation):
    """More before and after, on each axis.

    Attributes:
        widths: how much before and after, for each axis.
        mode: `"constant"`, `"edge"` or `"reflect"`, as NumPy has them.
        number: that is put there, where the mode is constant.
    """

    widths: tuple[tuple[int, int], ...]
    mode: str = "constant"
    number: float = 0.0

    def infer(self, *inputs: Any) -> Given:
        (x,) = inputs
        if len(self.widths) != len(x.shape):
            raise ValueError(f"{self.widths} around {x.shape}")
        widths = zip(x.shape, self.widths, strict=True)
        if self.mode == "reflect" and any(max(pad) >= n for n, pad in widths):
            raise ValueError(f"{self.widths} reflected of {x.shape}")
        shape = tuple(n + sum(pad) for n, pad in zip(x.shape, self.widths, strict=True))
        return [(shape, x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        options: Any = {"constant_values": self.number} if self.mode == "constant" else {}
        pad: Any = np.pad  # NumPy's types know each mode by itself
        return np.asarray(pad(arrays[0], self.widths, self.mode, **options))
