"""Convolutions whose windows see points that are computed, between pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.layers.geometry import Pads, lengths
from unified_blocks.porting.operations.operation import Given, Operation
from unified_blocks.types import Array, Shape


@dataclass(frozen=True)
class DeformableConvolution(Operation):
    """A convolution of images `(n, c, h, w)`, each point of a window moved and scaled.

    Takes x; how far each point is moved, `(n, parts * points * 2, *out)`, down and to the right; by
    what it is multiplied, `(n, parts * points, *out)`; a weight `(channels, c / groups, *kernel)`;
    perhaps a bias. Between pixels is what lies on the straight lines; around an image are zeros.

    Attributes:
        strides, dilation, padding: of the windows, as of a convolution.
        groups: into how many the channels are divided.
        parts: into how many the channels are divided that have points of their own.
    """

    strides: Shape
    padding: Pads
    dilation: Shape
    groups: int = 1
    parts: int = 1

    def infer(self, *inputs: Any) -> Given:
        x, moved, scaled, weight, *_ = inputs
        kernel = weight.shape[2:]
        if x.shape[1] != weight.shape[1] * self.groups or x.shape[1] % self.parts:
            raise ValueError(f"a weight of {weight.shape} in {self.groups} groups for {x.shape}")
        out: Shape = tuple(
            map(int, lengths(x.shape[2:], kernel, self.strides, self.padding, self.dilation))  # type: ignore[arg-type]
        )
        points = self.parts * kernel[0] * kernel[1]
        wanted = [(x.shape[0], count, *out) for count in (2 * points, points)]
        if [moved.shape, scaled.shape] != wanted:
            raise ValueError(f"points of {moved.shape} and {scaled.shape}, not {wanted}")
        return [((x.shape[0], weight.shape[0], *out), x.dtype)]

    def compute(self, *arrays: Array) -> Array:
        x, moved, scaled, weight, *bias = arrays
        (n, c, *size), kernel, out = x.shape, weight.shape[2:], moved.shape[2:]
        moved = moved.reshape(n, self.parts, kernel[0] * kernel[1], 2, *out)
        places = zip(kernel, out, self.strides, self.padding, self.dilation, strict=True)
        down, right = (
            np.arange(k)[:, None] * dilation + np.arange(m) * stride - before
            for k, m, stride, (before, _), dilation in places
        )
        y = moved[:, :, :, 0] + down.repeat(kernel[1], 0)[:, :, None]
        z = moved[:, :, :, 1] + np.tile(right, (kernel[0], 1))[:, None]
        flat = x.reshape(n, self.parts, c // self.parts, -1)
        seen = np.zeros((n, self.parts, c // self.parts, *y.shape[2:]), x.dtype)
        for above in (0, 1):
            for before in (0, 1):
                row, column = np.floor(y) + above, np.floor(z) + before
                inside = (row >= 0) & (row < size[0]) & (column >= 0) & (column < size[1])
                share = (1 - abs(y - row)) * (1 - abs(z - column)) * inside
                place = row.clip(0, size[0] - 1) * size[1] + column.clip(0, size[1] - 1)
                index = place.astype("int64").reshape(n, self.parts, 1, -1)
                found = np.take_along_axis(flat, index, 3).reshape(seen.shape)
                seen += found * share[:, :, None]
        seen *= scaled.reshape(n, self.parts, 1, *y.shape[2:])
        seen = seen.reshape(n, self.groups, c // self.groups, -1, *out)
        matrices = weight.reshape(self.groups, -1, *weight.shape[1:2], kernel[0] * kernel[1])
        made = np.einsum("ngckhw,gfck->ngfhw", seen, matrices, optimize=True)
        made = made.reshape(n, -1, *out)
        return np.asarray(made + bias[0][:, None, None] if bias else made)
