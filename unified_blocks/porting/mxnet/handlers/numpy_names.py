"""Operators of `mx.np` and `mx.npx` that have names and options of their own.

Most have another's name in the JSON of a symbol; these are what NumPy does otherwise: it has shapes
of no axes, and a quotient of whole numbers is none.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

import numpy as np

from unified_blocks.porting.graph import Value
from unified_blocks.porting.mxnet.handlers import arithmetic, creation, reductions, shapes
from unified_blocks.porting.mxnet.reading import HANDLERS, Handler, Reading, register
from unified_blocks.porting.operations.elementwise import Cast, Elementwise, Where
from unified_blocks.porting.operations.operation import axes_of, axis_of
from unified_blocks.porting.operations.products import Matmul
from unified_blocks.porting.operations.reductions import ArgReduce, Reduce
from unified_blocks.porting.operations.shapes import (
    BroadcastTo,
    Concat,
    ExpandDims,
    FillLike,
    Reshape,
    Squeeze,
)
from unified_blocks.porting.operations.slices import Pad
from unified_blocks.types import Shape

ALIKE = {
    **{f"_npi_{name}": name for name in arithmetic.UNARY},
    "_npi_absolute": "abs",
    "_npi_logical_not": "logical_not",
    "_npi_rint": "rint",
    "_npi_hypot": "broadcast_hypot",
    "_npi_add": "broadcast_add",
    "_npi_subtract": "broadcast_sub",
    "_npi_multiply": "broadcast_mul",
    "_npi_mod": "broadcast_mod",
    "_npi_power": "broadcast_power",
    **{
        f"_npi_{name}{scalar}": f"{'_' if scalar else 'broadcast_'}{other}{scalar}"
        for scalar in ("", "_scalar")
        for name, other in (
            ("equal", "equal"),
            ("not_equal", "not_equal"),
            ("greater", "greater"),
            ("greater_equal", "greater_equal"),
            ("less", "lesser"),
            ("less_equal", "lesser_equal"),
        )
    },
    "_npi_add_scalar": "_plus_scalar",
    "_npi_subtract_scalar": "_minus_scalar",
    "_npi_rsubtract_scalar": "_rminus_scalar",
    "_npi_multiply_scalar": "_mul_scalar",
    "_npi_mod_scalar": "_mod_scalar",
    "_npi_rmod_scalar": "_rmod_scalar",
    "_npi_power_scalar": "_power_scalar",
    "_npi_rpower_scalar": "_rpower_scalar",
    "_npx_relu": "relu",
    "_npx_sigmoid": "sigmoid",
    "_np_transpose": "transpose",
    "_np_copy": "_copy",
    "_npi_stack": "stack",
    "_npi_flip": "reverse",
    "_npi_zeros": "_zeros",
    "_npi_ones": "_ones",
    "_npi_arange": "_arange",
    "_npi_eye": "_eye",
}
"""Those that are another by a name of their own."""


def _alike(other: str) -> Handler:
    return lambda read: HANDLERS[other](read)


for _name, _other in ALIKE.items():
    register(_name)(_alike(_other))


@register("_npi_true_divide", "_npi_true_divide_scalar", "_npi_rtrue_divide_scalar")
def true_divide(read: Reading) -> Value:
    given = [
        each
        if np.issubdtype(each.dtype, np.floating)
        else read.add(Cast("float32"), each, suffix=f"float_{i}")
        for i, each in enumerate(read.inputs)
    ]
    if "scalar" in read.operator:
        read.ignore("is_int")
        given.append(read.constant(read.number("scalar"), given[0].dtype))
    if read.operator.startswith("_npi_r"):
        given.reverse()
    return read.add(Elementwise("divide"), *given)


def _plain(read: Reading) -> None:
    """Refuse what changes the dtype, or begins with a number."""
    for option in ("dtype", "initial"):
        if (value := read.text(option, "None")) != "None":
            raise read.refused(f"{option}={value}")


def _axes(read: Reading, x: Value) -> Shape:
    said = read.read("axis", None)
    if said is None:
        return tuple(range(x.rank))
    return axes_of((said,) if isinstance(said, int) else said, x.rank)


def _reduction(function: str) -> Handler:
    def handler(read: Reading) -> Value:
        (x,) = read.inputs
        _plain(read)
        return read.add(Reduce(function, _axes(read, x), read.flag("keepdims", False)), x)

    return handler


register("_np_sum")(_reduction("sum"))
register("_npi_mean")(_reduction("mean"))
register("_np_max")(_reduction("max"))
register("_np_min")(_reduction("min"))
register("_np_prod")(_reduction("prod"))


@register("_npi_var", "_npi_std")
def var(read: Reading) -> Value:
    """`Σ (x - mean)² / (n - ddof)`, and its root."""
    (x,) = read.inputs
    _plain(read)
    axes, keepdims, less = _axes(read, x), read.flag("keepdims", False), read.integer("ddof", 0)
    mean = read.add(Reduce("mean", axes, keepdims=True), x, suffix="mean")
    apart = read.add(Elementwise("subtract"), x, mean, suffix="apart")
    squares = read.add(Elementwise("square"), apart, suffix="square")
    root = read.operator == "_npi_std"
    count = math.prod(x.shape[axis] for axis in axes)
    names = [name for name, used in (("part", less != 0), ("var", root)) if used]
    made = read.add(Reduce("mean", axes, keepdims), squares, suffix=names[0] if names else "")
    if less:
        share = read.constant(count / (count - less))
        made = read.add(Elementwise("multiply"), made, share, suffix="var" if root else "")
    return read.add(Elementwise("sqrt"), made) if root else made


@register("_npi_argmax", "_npi_argmin")
def argmax(read: Reading) -> Value:
    (x,) = read.inputs
    axis, keepdims = read.integer("axis", None), read.flag("keepdims", False)
    if axis is None:
        if keepdims:
            raise read.refused("keepdims=True without an axis")
        x, axis = read.add(Reshape((math.prod(x.shape),)), x, suffix="flatten"), 0
    return read.add(ArgReduce(read.operator[5:], axis_of(axis, x.rank), keepdims), x)


# Shapes


@register("_np_reshape")
def reshape(read: Reading) -> Value:
    """As NumPy: only -1 is no size."""
    (x,) = read.inputs
    if (order := read.text("order", "C")) != "C":
        raise read.refused(f"order={order}")
    shape = list(read.sizes("newshape"))
    if -1 in shape:
        shape[shape.index(-1)] = math.prod(x.shape) // -math.prod(shape)
    return read.add(Reshape(tuple(shape)), x)


@register("_npx_reshape")
def npx_reshape(read: Reading) -> Value:
    (x,) = read.inputs
    for option, usual in (("reverse", "False"), ("order", "C")):
        if (value := read.text(option, usual)) != usual:
            raise read.refused(f"{option}={value}")
    codes = read.read("newshape")
    shape = npx_reshaped(read, x.shape, [codes] if isinstance(codes, int) else codes)
    return x if shape == x.shape else read.add(Reshape(shape), x)


def npx_reshaped(read: Reading, shape: Shape, codes: Sequence[int]) -> Shape:
    """The shape that the codes of `npx.reshape` say.

    -1 is what the others leave, -2 the size of that axis, -3 leaves out one of length 1, -4 all
    axes that are left, -5 two axes as one, and -6 one axis as the two that follow.
    """
    sizes, todo, made = list(shape), list(codes), []
    while todo:
        code = todo.pop(0)
        if code == -2:
            made.append(sizes.pop(0))
        elif code == -3:
            if sizes.pop(0) != 1:
                raise read.refused(f"newshape={tuple(codes)} of {shape}")
        elif code == -4:
            made += sizes
            sizes = []
        elif code == -5:
            made.append(sizes.pop(0) * sizes.pop(0))
        elif code == -6:
            size, first, second = sizes.pop(0), todo.pop(0), todo.pop(0)
            made += [size // second if first == -1 else first]
            made += [size // first if second == -1 else second]
        else:
            made.append(code)
            del sizes[:1]
    if -1 in made:
        made[made.index(-1)] = math.prod(shape) // -math.prod(made)
    return tuple(made)


@register("_np_moveaxis")
def moveaxis(read: Reading) -> Value:
    (x,) = read.inputs
    sources, places = (axes_in_order(read, name, x.rank) for name in ("source", "destination"))
    axes = [axis for axis in range(x.rank) if axis not in sources]
    for place, source in sorted(zip(places, sources, strict=True)):
        axes.insert(place, source)
    return shapes.turned(read, x, tuple(axes))


def axes_in_order(read: Reading, option: str, rank: int) -> Shape:
    """Axes as they are said, counted from the front."""
    return tuple(axis_of(axis, rank) for axis in read.sizes(option))


@register("_np_squeeze")
def squeeze(read: Reading) -> Value:
    (x,) = read.inputs
    ones = tuple(i for i, n in enumerate(x.shape) if n == 1)
    gone = axes_of(read.sizes("axis") or ones, x.rank)
    return read.add(Squeeze(gone), x) if gone else x


@register("_npi_broadcast_to")
def broadcast_to(read: Reading) -> Value:
    (x,) = read.inputs
    shape = read.sizes("shape")
    for _ in range(len(shape) - x.rank):
        x = read.add(ExpandDims(0), x, suffix="axis")
    sizes = zip(x.shape, shape, strict=True)
    return read.add(BroadcastTo(tuple(n if m == -2 else m for n, m in sizes)), x)


@register("_npi_concatenate")
def concatenate(read: Reading) -> Value:
    read.ignore("num_args")
    axis = read.integer("axis", 0)
    if axis is None:
        raise read.refused("axis=None")
    return read.add(Concat(axis_of(axis, read.inputs[0].rank)), *read.inputs)


@register("_npi_vstack", "_npi_hstack")
def vstack(read: Reading) -> Value:
    read.ignore("num_args")
    if any(each.rank < 2 for each in read.inputs):
        raise read.refused("of arrays with less than two axes")
    return read.add(Concat(0 if read.operator == "_npi_vstack" else 1), *read.inputs)


@register("_npi_pad")
def pad(read: Reading) -> Value:
    (x,) = read.inputs
    widths = tuple((int(before), int(after)) for before, after in read.read("pad_width"))
    mode, number = read.text("mode", "constant"), read.number("constant_value", 0.0)
    read.ignore("reflect_type")
    if mode not in ("constant", "edge", "reflect"):
        raise read.refused(f"mode={mode} is not known")
    return read.add(Pad(widths, mode, number if mode == "constant" else 0.0), x)


# Others


@register("_npi_full_like")
def full_like(read: Reading) -> Value:
    (x,) = read.inputs
    read.ignore("ctx")
    if (dtype := read.text("dtype", "None")) not in ("None", x.dtype):
        raise read.refused(f"dtype={dtype} of {x.dtype}")
    return read.add(FillLike(read.number("fill_value")), x)


@register("_linspace")
def linspace(read: Reading) -> Value:
    start, stop, count = read.number("start"), read.number("stop"), read.integer("num")
    ends = read.flag("endpoint", True)
    return creation.made(read, np.linspace(start, stop, count, endpoint=ends))


@register("_npi_where", "_npi_where_lscalar", "_npi_where_rscalar", "_npi_where_scalar2")
def where(read: Reading) -> Value:
    condition, *given = read.inputs
    dtype = given[0].dtype if given else "float32"
    if read.operator == "_npi_where_scalar2":
        given = [read.constant(read.number(name), dtype) for name in ("x", "y")]
    elif read.operator == "_npi_where_lscalar":
        given.insert(0, read.constant(read.number("scalar"), dtype))
    elif read.operator == "_npi_where_rscalar":
        given.append(read.constant(read.number("scalar"), dtype))
    if condition.dtype != "bool":
        condition = arithmetic.boolean(read, condition, "is")
    return read.add(Where(), condition, *given)


@register("_npi_matmul", "_np_dot")
def matmul(read: Reading) -> Value:
    """A product with a matrix, or of many matrices with as many."""
    left, right = read.inputs
    same = read.operator == "_npi_matmul" and left.rank == right.rank
    if left.rank < 2 or (right.rank != 2 and not same):
        raise read.refused(f"a product of {left.shape} and {right.shape}")
    return read.add(Matmul(), left, right)


@register("_npi_tensordot_int_axes", "_npi_tensordot")
def tensordot(read: Reading) -> Value:
    """A sum over one axis of each, as a product with a matrix."""
    left, right = read.inputs
    if read.operator == "_npi_tensordot":
        first, second = (
            ast.literal_eval(read.text(name)) for name in ("a_axes_summed", "b_axes_summed")
        )
    else:
        count = read.integer("axes")
        first, second = range(left.rank - count, left.rank), range(count)
    if right.rank != 2 or len(first) != 1:
        raise read.refused(f"a product of {left.shape} and {right.shape} over several axes")
    axis, other = axis_of(first[0], left.rank), axis_of(second[0], 2)
    axes = (*(i for i in range(left.rank) if i != axis), axis)
    left = shapes.turned(read, left, axes, "left")
    if other == 1:
        right = reductions.turned(read, right, "right")
    return read.add(Matmul(), left, right)
