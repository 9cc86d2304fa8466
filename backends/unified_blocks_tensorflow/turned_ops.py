"""`ub.ops` on images: most operations do with either order of the axes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from unified_blocks.ops import register
from unified_blocks_tensorflow import image_ops, neural_ops, ops
from unified_blocks_tensorflow.images import Image, each, tensors_of

ELEMENTWISE = frozenset(
    (
        *("abs", "exp", "expm1", "log", "log1p", "sqrt", "square", "sign", "sin", "cos", "erf"),
        *("floor", "ceil", "round", "isfinite", "isnan", "add", "subtract", "multiply", "divide"),
        *("pow", "floor_divide", "remainder", "maximum", "minimum", "clip", "equal", "not_equal"),
        *("less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or"),
        *("logical_not", "where", "astype", "stop_gradient", "relu", "leaky_relu", "elu", "selu"),
        *("gelu", "silu", "sigmoid", "hard_sigmoid", "tanh", "softplus", "softsign", "dropout"),
        "full_like",
    )
)
REDUCTIONS = ("sum", "mean", "max", "min", "prod", "any", "all")


def of_tensors(function: Callable[..., Any], *values: Any) -> Any:
    return function(*map(tensors_of, values))


def reduced(function: Callable[..., Any], x: Any, axis: Any, keepdims: bool) -> Any:
    """A reduction over axes; the order of those that are left is the same in both."""
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    left = [i for i in range(x.ndim) if i not in {a % x.ndim for a in axes}]
    if not x.is_last or not (keepdims or 1 not in left or all(i <= 1 for i in left)):
        return function(x.first, axis, keepdims)
    places = tuple(place(a, x.ndim) for a in axes)
    output = function(x.last, places, keepdims)
    return Image(last=output) if keepdims else output


def along(function: Callable[..., Any], x: Any, axis: int) -> Any:
    """An operation along one axis, which leaves the shape as it is."""
    if not x.is_last:
        return function(x.first, axis)
    return Image(last=function(x.last, place(axis, x.ndim)))


def concat(arrays: Any, axis: int) -> Any:
    images = [x for x in arrays if type(x) is Image]
    if len(images) < len(arrays) or len({x.ndim for x in images}) > 1:
        return ops.concat(tensors_of(list(arrays)), axis)
    if not any(x.is_last for x in images):
        return Image(first=ops.concat([x.first for x in images], axis))
    return Image(last=ops.concat([x.last for x in images], place(axis, images[0].ndim)))


def place(axis: int, rank: int) -> int:
    """Where an axis is when the channels are at the end."""
    axis %= rank
    return axis if axis == 0 else rank - 1 if axis == 1 else axis - 1


class ImageOps:
    """The operations of `ub.ops`, by name."""

    concat = staticmethod(concat)

    def __getattr__(self, name: str) -> Any:
        homes = (neural_ops, image_ops, ops)
        function = next(getattr(home, name) for home in homes if hasattr(home, name))
        if name in ELEMENTWISE:
            return partial(each, function)
        if name in REDUCTIONS:
            return partial(reduced, function)
        if name in ("softmax", "log_softmax"):
            return partial(along, function)
        return partial(of_tensors, function)


register("tensorflow", "TensorFlow", ImageOps(), (Image,), floats=neural_ops.FLOATS)
