"""Numbers by their place."""

from __future__ import annotations

from unified_blocks.porting.graph import Value
from unified_blocks.porting.mxnet.reading import Reading, register
from unified_blocks.porting.operations.elementwise import Cast, Clip, Elementwise
from unified_blocks.porting.operations.gathers import GatherNd, OneHot, Take, TakeAlong
from unified_blocks.porting.operations.operation import axis_of
from unified_blocks.porting.operations.shapes import ExpandDims, Squeeze


def whole(read: Reading, places: Value, n: int, mode: str) -> Value:
    """Places as whole numbers, each inside of an axis that is `n` long."""
    if mode not in ("clip", "wrap", "raise"):
        raise read.refused(f"mode={mode} is not known")
    if places.dtype not in ("int32", "int64"):
        places = read.add(Cast("int64"), places, suffix="places")
    if mode == "clip":
        return read.add(Clip(0, n - 1), places, suffix="inside")
    if mode == "wrap":
        return read.add(
            Elementwise("modulo"), places, read.constant(n, places.dtype), suffix="inside"
        )
    return places


@register("take")
def take(read: Reading) -> Value:
    x, places = read.inputs
    axis = axis_of(read.integer("axis", 0), x.rank)
    return read.add(Take(axis), x, whole(read, places, x.shape[axis], read.text("mode", "clip")))


@register("pick")
def pick(read: Reading) -> Value:
    x, places = read.inputs
    if (axis := read.integer("axis", -1)) is None:
        raise read.refused("it has no axis")
    axis, keepdims = axis_of(axis, x.rank), read.flag("keepdims", False)
    places = whole(read, places, x.shape[axis], read.text("mode", "clip"))
    if places.rank < x.rank:
        places = read.add(ExpandDims(axis), places, suffix="axis")
    if keepdims:
        return read.add(TakeAlong(axis), x, places)
    return read.add(Squeeze((axis,)), read.add(TakeAlong(axis), x, places, suffix="picked"))


@register("gather_nd")
def gather_nd(read: Reading) -> Value:
    x, places = read.inputs
    return read.add(GatherNd(), x, whole(read, places, 0, "raise"))


@register("one_hot")
def one_hot(read: Reading) -> Value:
    (places,) = read.inputs
    high, low = read.number("on_value", 1.0), read.number("off_value", 0.0)
    hot = OneHot(read.integer("depth"), read.text("dtype", "float32"))
    places = whole(read, places, 0, "raise")
    if (high, low) == (1.0, 0.0):
        return read.add(hot, places)
    ones = read.add(hot, places, suffix="ones")
    scale, shift = (read.constant(each, "float64") for each in (high - low, low))
    return read.add(
        Elementwise("add"), read.add(Elementwise("multiply"), ones, scale, suffix="scale"), shift
    )
