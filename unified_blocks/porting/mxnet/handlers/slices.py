"""Parts of values, and values put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.porting.graph import Value
from unified_blocks.porting.mxnet.reading import Reading, register
from unified_blocks.porting.operations.operation import axis_of
from unified_blocks.porting.operations.shapes import ExpandDims
from unified_blocks.porting.operations.slices import (
    Flip,
    Pad,
    Repeat,
    Slice,
    Split,
    Stack,
    Tile,
    Unstack,
)
from unified_blocks.types import Shape


def part_of(read: Reading, x: Value, parts: dict[int, slice]) -> Value:
    """A part of some axes; an end that is the end of the axis is not named."""
    starts, stops, steps = [], [], []
    for axis, n in enumerate(x.shape):
        part = parts.get(axis, slice(None))
        step = part.step or 1
        whole = part.stop is not None and part.stop >= n and step > 0
        starts.append(0 if part.start is None and step > 0 else part.start)
        stops.append(None if whole else part.stop)
        steps.append(step)
    operation = Slice(tuple(starts), tuple(stops), tuple(steps))
    if all(part == slice(0, None, 1) for part in operation.slices):
        return x
    return read.add(operation, x)


@register("slice", "crop")
def slice_(read: Reading) -> Value:
    (x,) = read.inputs
    starts, stops, steps = (read.sizes(each) for each in ("begin", "end", "step"))
    parts = zip(starts, stops, steps or (None,) * len(starts), strict=True)
    return part_of(read, x, {axis: slice(*part) for axis, part in enumerate(parts)})


@register("slice_axis")
def slice_axis(read: Reading) -> Value:
    (x,) = read.inputs
    axis = axis_of(read.integer("axis"), x.rank)
    part = slice(read.integer("begin"), read.integer("end", None))
    return part_of(read, x, {axis: part})


@register("slice_like")
def slice_like(read: Reading) -> Value:
    x, like = read.inputs
    axes = read.sizes("axes") or tuple(range(x.rank))
    return part_of(read, x, {axis_of(axis, x.rank): slice(0, like.shape[axis]) for axis in axes})


@register("SliceChannel", "split")
def split(read: Reading) -> Any:
    (x,) = read.inputs
    axis, parts = axis_of(read.integer("axis", 1), x.rank), read.integer("num_outputs")
    if x.shape[axis] % parts:
        raise read.refused(f"{parts} parts of {x.shape[axis]} that are not alike")
    return _parts(read, x, (x.shape[axis] // parts,) * parts, axis)


@register("_split_v2")
def split_v2(read: Reading) -> Any:
    (x,) = read.inputs
    axis, count = axis_of(read.integer("axis", 1), x.rank), read.integer("sections", 0)
    starts, n = read.sizes("indices"), x.shape[axis]
    if count:
        if n % count:
            raise read.refused(f"{count} parts of {n} that are not alike")
        return _parts(read, x, (n // count,) * count, axis)
    return _parts(read, x, tuple(map(int, np.diff((*(starts or (0,)), n)))), axis)


def _parts(read: Reading, x: Value, sizes: Shape, axis: int) -> Any:
    if read.flag("squeeze_axis", False):
        if set(sizes) != {1}:
            raise read.refused(f"squeeze_axis=True of parts of {sizes}")
        return read.add_all(Unstack(axis), x)
    return read.add_all(Split(sizes, axis), x) if len(sizes) > 1 else x


@register("stack")
def stack(read: Reading) -> Value:
    read.ignore("num_args")
    axis = axis_of(read.integer("axis", 0), read.inputs[0].rank + 1)
    return read.add(Stack(axis), *read.inputs)


@register("tile")
def tile(read: Reading) -> Value:
    (x,) = read.inputs
    repeats = read.sizes("reps")
    for i in range(len(repeats) - x.rank):
        x = read.add(ExpandDims(0), x, suffix=f"axis_{i}")
    return read.add(Tile((1,) * (x.rank - len(repeats)) + repeats), x)


@register("repeat")
def repeat(read: Reading) -> Value:
    (x,) = read.inputs
    if (axis := read.integer("axis", None)) is None:
        raise read.refused("it has no axis")
    return read.add(Repeat(read.integer("repeats"), axis_of(axis, x.rank)), x)


@register("reverse", "flip")
def reverse(read: Reading) -> Value:
    (x,) = read.inputs
    return read.add(Flip(tuple(axis_of(axis, x.rank) for axis in read.sizes("axis"))), x)


@register("Pad", "pad")
def pad(read: Reading) -> Value:
    (x,) = read.inputs
    ends = read.sizes("pad_width", 2 * x.rank)
    mode = read.text("mode", "constant")
    number = read.number("constant_value", 0.0)
    if mode not in ("constant", "edge", "reflect"):
        raise read.refused(f"mode={mode} is not known")
    widths = tuple(zip(ends[::2], ends[1::2], strict=True))
    return read.add(Pad(widths, mode, number if mode == "constant" else 0.0), x)


@register("Crop")
def crop(read: Reading) -> Value:
    x, *like = read.inputs
    read.ignore("num_args")
    offset, center = read.sizes("offset", 2, 0), read.flag("center_crop", False)
    size = read.sizes("h_w", 2, 0)
    if like:
        size = like[0].shape[2:]
    if center:
        offset = tuple((n - m) // 2 for n, m in zip(x.shape[2:], size, strict=True))
    parts = [slice(start, start + n) for start, n in zip(offset, size, strict=True)]
    return part_of(read, x, dict(enumerate(parts, 2)))
