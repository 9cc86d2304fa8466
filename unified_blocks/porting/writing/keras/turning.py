"""Tensors with their axes in another order, or in another shape; and names that Keras gives."""

from __future__ import annotations

import re
from typing import Any

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.writing.keras.expressions import Call, Named, Step, Tensor, call
from unified_blocks.types import Shape

OPERATIONS = (
    *("absolute", "activation", "add", "amax", "arange", "average_pooling2d", "broadcast_to"),
    *("cast", "clip", "concatenate", "divide", "dropout", "equal", "erf", "exp", "expand_dims"),
    *("flatten", "flip", "gelu", "get_item", "greater", "less", "log", "log_softmax", "matmul"),
    *("max", "maximum", "mean", "min", "minimum", "multiply", "negative", "pad", "permute"),
    *("power", "prod", "re_lu", "repeat", "reshape", "softmax", "split", "sqrt", "square"),
    *("squeeze", "stack", "subtract", "sum", "take", "take_along_axis", "tile", "transpose"),
    *("unstack", "where", "zeros_like", "ones_like"),
)


def is_automatic(path: tuple[str, ...]) -> bool:
    """Whether Keras may give this name by itself to what has none: `reshape`, `reshape_1`."""
    return len(path) == 1 and re.sub(r"_\d+$", "", path[0]) in OPERATIONS


def moved(sizes: Shape, order: Shape) -> Shape:
    """A size for each axis, in another order of axes."""
    return tuple(sizes[axis] for axis in order) if sizes else ()


def transposed(x: Tensor, places: Shape) -> Call:
    """The axes in another order; the batch stays before the others where it can."""
    if places[0] == 0:
        return Call(call("layers.Permute", places[1:]), (x,))
    return call("ops.transpose", x, places)


def turned(x: Tensor, order: Shape, wanted: Shape) -> tuple[Tensor, Step]:
    """A tensor with its axes in another order."""
    places = tuple(order.index(axis) for axis in wanted)
    tensor = Tensor(moved(x.shape, places), moved(x.growth, places))
    moving = [place for place in places if x.shape[place] != 1 or grows(x, place)]
    if moving == sorted(moving):
        return tensor, Step((tensor,), reshaped(x, tensor.shape, tensor.growth))
    return tensor, Step((tensor,), transposed(x, places))


def grows(x: Tensor, axis: int) -> bool:
    """Whether an axis is longer for a larger batch."""
    return bool(x.growth) and x.growth[axis] != 0


def reshaped(x: Tensor, shape: Shape, growth: Shape, name: Named | None = None) -> Call:
    """The same numbers in another shape, for any batch."""
    named: dict[str, Any] = {"name": name} if name else {}
    free = [axis for axis, by in enumerate(growth) if by]
    kept = bool(x.shape and shape) and (x.shape[0], x.growth[:1]) == (shape[0], growth[:1])
    if kept and not any(growth[1:]):
        if len(shape) == 2 and len(x.shape) > 2:
            return Call(call("layers.Flatten", **named), (x,))
        return Call(call("layers.Reshape", shape[1:], **named), (x,))
    if len(free) > 1:
        raise UnsupportedError(
            f"a reshape must have one axis that grows with the batch; got {len(free)} of {shape}"
        )
    sizes = tuple(-1 if axis in free else size for axis, size in enumerate(shape))
    return call("ops.reshape", x, sizes)
