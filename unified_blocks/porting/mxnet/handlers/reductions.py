"""One number of many, order, and products of matrices."""

from __future__ import annotations

import math
from typing import Any

from unified_blocks.porting.graph import Value
from unified_blocks.porting.mxnet.reading import Handler, Reading, register
from unified_blocks.porting.operations.elementwise import Cast, Elementwise
from unified_blocks.porting.operations.operation import axes_of, axis_of
from unified_blocks.porting.operations.products import Matmul
from unified_blocks.porting.operations.reductions import ArgReduce, Reduce, Sort, TopK
from unified_blocks.porting.operations.shapes import ExpandDims, Reshape, Transpose
from unified_blocks.types import Shape


def axes_said(read: Reading, x: Value) -> tuple[Shape, bool]:
    """The axes that are reduced, and whether they stay."""
    axes = axes_of(read.sizes("axis") or range(x.rank), x.rank)
    if read.flag("exclude", False):
        axes = tuple(axis for axis in range(x.rank) if axis not in axes)
    return axes, read.flag("keepdims", False)


def reduced(
    read: Reading, function: str, x: Value, axes: Shape, keepdims: bool, suffix: str = ""
) -> Value:
    """One number of all; that of everything has an axis."""
    if keepdims or len(axes) < x.rank:
        return read.add(Reduce(function, axes, keepdims), x, suffix=suffix)
    all_of_it = read.add(Reduce(function, axes), x, suffix=f"{suffix}_all".strip("_"))
    return read.add(ExpandDims(0), all_of_it, suffix=suffix)


def _reduction(function: str) -> Handler:
    def handler(read: Reading) -> Value:
        (x,) = read.inputs
        return reduced(read, function, x, *axes_said(read, x))

    return handler


register("sum", "sum_axis")(_reduction("sum"))
register("mean")(_reduction("mean"))
register("max", "max_axis")(_reduction("max"))
register("min", "min_axis")(_reduction("min"))
register("prod")(_reduction("prod"))


@register("norm")
def norm(read: Reading) -> Value:
    (x,) = read.inputs
    order, (axes, keepdims) = read.integer("ord", 2), axes_said(read, x)
    if (dtype := read.text("out_dtype", None)) not in (None, "None", x.dtype):
        raise read.refused(f"out_dtype={dtype} of {x.dtype}")
    if order not in (1, 2):
        raise read.refused(f"ord must be 1 or 2; got {order}")
    if order == 1:
        large = read.add(Elementwise("abs"), x, suffix="abs")
        return reduced(read, "sum", large, axes, keepdims)
    squares = read.add(Elementwise("square"), x, suffix="square")
    total = reduced(read, "sum", squares, axes, keepdims, "sum")
    return read.add(Elementwise("sqrt"), total)


@register("L2Normalization")
def l2_normalization(read: Reading) -> Value:
    """`x / √(Σ x² + eps)`."""
    (x,) = read.inputs
    axes = {
        "instance": tuple(range(1, x.rank)),
        "channel": (1,),
        "spatial": tuple(range(2, x.rank)),
    }.get(mode := read.text("mode", "instance"))
    if axes is None:
        raise read.refused(f"mode={mode} is not known")
    squares = read.add(Elementwise("square"), x, suffix="square")
    total = read.add(Reduce("sum", axes, keepdims=True), squares, suffix="sum")
    more = read.add(
        Elementwise("add"), total, read.constant(read.number("eps", 1e-10)), suffix="eps"
    )
    return read.add(Elementwise("divide"), x, read.add(Elementwise("sqrt"), more, suffix="norm"))


@register("argmax", "argmin", "argmax_channel")
def argmax(read: Reading) -> Value:
    """Places, that are floating numbers there."""
    (x,) = read.inputs
    function = "argmin" if read.operator == "argmin" else "argmax"
    axis = 1 if read.operator == "argmax_channel" else read.integer("axis", None)
    keepdims, dtype = read.flag("keepdims", False), x.dtype
    if axis is None:
        if keepdims:
            raise read.refused("keepdims=True without an axis")
        x, axis = read.add(Reshape((math.prod(x.shape),)), x, suffix="flatten"), 0
    reduce = ArgReduce(function, axis_of(axis, x.rank), keepdims)
    place = read.add(reduce, x, suffix="place")
    if place.rank == 0:
        place = read.add(ExpandDims(0), place, suffix="axis")
    return read.add(Cast(dtype), place)


def _axis_of_order(read: Reading, x: Value) -> tuple[Value, int]:
    axis = read.integer("axis", -1)
    if axis is None:
        return read.add(Reshape((math.prod(x.shape),)), x, suffix="flatten"), 0
    return x, axis_of(axis, x.rank)


def places_of(read: Reading, places: Value, default: str) -> Value:
    """Places in the dtype that is asked for."""
    dtype = read.text("dtype", default)
    return places if dtype == "int64" else read.add(Cast(dtype), places)


@register("sort")
def sort(read: Reading) -> Value:
    x, axis = _axis_of_order(read, read.inputs[0])
    return read.add_all(Sort(axis, not read.flag("is_ascend", True)), x)[0]


@register("argsort")
def argsort(read: Reading) -> Value:
    x, axis = _axis_of_order(read, read.inputs[0])
    descending = not read.flag("is_ascend", True)
    places = read.add_all(Sort(axis, descending), x, suffix="sort")[1]
    return places_of(read, places, "float32")


@register("topk")
def topk(read: Reading) -> Any:
    x, axis = _axis_of_order(read, read.inputs[0])
    k, kind = read.integer("k", 1), read.text("ret_typ", "indices")
    largest = not read.flag("is_ascend", False)
    if kind not in ("value", "indices", "both"):
        raise read.refused(f"ret_typ must be value, indices or both; got {kind}")
    order = TopK(k if k > 0 else x.shape[axis], axis, largest)
    if kind == "value":
        read.ignore("dtype")
        return read.add_all(order, x)[0]
    values, places = read.add_all(order, x, suffix="order")
    places = places_of(read, places, "float32")
    return places if kind == "indices" else (values, places)


def turned(read: Reading, x: Value, suffix: str) -> Value:
    """With the last two axes the other way round."""
    axes = (*range(x.rank - 2), x.rank - 1, x.rank - 2)
    return read.add(Transpose(axes), x, suffix=suffix)


@register("dot", "batch_dot")
def dot(read: Reading) -> Value:
    left, right = read.inputs
    if (stype := read.text("forward_stype", None)) not in (None, "None", "default"):
        raise read.refused(f"forward_stype={stype}")
    if right.rank != 2 and (read.operator == "dot" or left.rank != 3 or right.rank != 3):
        raise read.refused(f"a product of {left.shape} and {right.shape}")
    if left.rank < 2 or (read.operator == "batch_dot" and left.rank != 3):
        raise read.refused(f"a product of {left.shape} and {right.shape}")
    if read.flag("transpose_a", False):
        if left.rank != right.rank:
            raise read.refused(f"transpose_a=True of {left.shape}")
        left = turned(read, left, "left")
    if read.flag("transpose_b", False):
        right = turned(read, right, "right")
    return read.add(Matmul(), left, right)
