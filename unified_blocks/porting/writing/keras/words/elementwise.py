"""Operations on each number by itself."""

from __future__ import annotations

from typing import Any

from unified_blocks.porting.graph import Parameter
from unified_blocks.porting.operations.elementwise import (
    Cast,
    Clip,
    Dropout,
    Elementwise,
    StopGradient,
    Where,
)
from unified_blocks.porting.writing.keras.expressions import (
    Call,
    Expression,
    Infix,
    Raw,
    Tensor,
    call,
)  # fmt: skip
from unified_blocks.porting.writing.keras.turning import reshaped
from unified_blocks.porting.writing.keras.writer import (  # fmt: skip
    Writing,
    operands,
    plain,
    writes,
)

NAMES = {"modulo": "mod"}
"""Functions that Keras calls otherwise."""
SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
ACTIVATIONS = {
    "sigmoid": "sigmoid", "tanh": "tanh", "softplus": "softplus", "softsign": "softsign",
    "elu": "elu", "selu": "selu", "gelu": "", "silu": "silu", "hard_sigmoid": "hard_sigmoid",
    "hard_swish": "hard_swish", "mish": "mish", "relu6": "relu6",
}  # fmt: skip
"""By the name of a function, the activation that Keras has with the same numbers."""


@writes(Elementwise, follows=True)
def elementwise(w: Writing) -> None:
    function = w.operation.function
    if len(w.inputs) == 1:
        return w.give(unary(w, function, w.x))
    left, right = alike(w)
    if function == "quotient":
        w.writer.words.add("quotient")
        return w.give(call("quotient", left, right), w.order)
    if function in SIGNS:
        return w.give(operands((left, right), SIGNS[function]), w.order)
    return w.give(call(f"ops.{NAMES.get(function, function)}", left, right), w.order)


def unary(w: Writing, function: str, x: Tensor) -> Expression:
    """A function of one number."""
    if function == "relu":
        return Call(w.layer("layers.ReLU"), (x,))
    if function == "leaky_relu":
        return Call(w.layer("layers.LeakyReLU", negative_slope=0.01), (x,))
    if function == "gelu":
        return call("ops.gelu", x, approximate=False)
    if function == "gelu_tanh":
        return call("ops.gelu", x, approximate=True)
    if function in ACTIVATIONS:
        return Call(w.layer("layers.Activation", ACTIVATIONS[function]), (x,))
    if function == "negative":
        return Infix("-", (x,))
    return call(f"ops.{function}", x)


def alike(w: Writing) -> list[Expression]:
    """Inputs that lie alike, so that they can be broadcast; `w.order` is how.

    A number that is written needs no place. One with fewer axes has its axes at the end.
    """
    rank = w.node.output.rank
    taken = [v for v in w.inputs if not isinstance(v, Parameter)]
    whole = [w.writer.lying[v][1] for v in taken if v.rank == rank]
    w.order = next((order for order in whole if order != plain(rank)), plain(rank))
    return [_operand(w, i) for i in range(len(w.inputs))]


def _operand(w: Writing, i: int) -> Any:
    value, order = w.inputs[i], w.order
    rank = len(order)
    if isinstance(value, Parameter):
        if value.scalar is not None:
            return written(value.scalar)
        return w.weight(value, order)
    if value.rank == rank:
        return w.taken(i, order)
    if order == plain(rank):
        return w.plain(i)
    ones = rank - value.rank
    shape, growth = (1,) * ones + value.shape, (0,) * ones + value.growth if value.growth else ()
    wide = w.add(reshaped(w.plain(i), shape, growth), shape, growth)
    return w.turned(wide, plain(rank), order)


def written(number: float | bool) -> Any:
    """A number as a person writes it: whole ones without a point."""
    whole = isinstance(number, float) and number.is_integer() and abs(number) < 1e6
    return int(number) if whole else number


@writes(Clip, follows=True)
def clip(w: Writing) -> None:
    options: Clip = w.operation
    if options.low == 0 and not w.inputs[0].dtype.startswith(("int", "uint")):
        return w.give(Call(w.layer("layers.ReLU", written(options.high)), (w.x,)))
    return w.give(call("ops.clip", w.x, written(options.low), written(options.high)))


@writes(Dropout, follows=True)
def dropout(w: Writing) -> None:
    options: Dropout = w.operation
    keywords: dict[str, Any] = {}
    if options.axes:
        shared = {axis % w.inputs[0].rank for axis in options.axes}
        free: list[Any] = [
            1 if axis in shared else None if w.inputs[0].grows(axis) else w.inputs[0].shape[axis]
            for axis in w.order
        ]
        keywords["noise_shape"] = Raw("(" + ", ".join(map(str, free)) + ")")
    w.give(Call(w.layer("layers.Dropout", options.rate, **keywords), (w.x,)))


@writes(Cast, follows=True)
def cast(w: Writing) -> None:
    w.give(call("ops.cast", w.x, w.operation.dtype))


@writes(Where, follows=True)
def where(w: Writing) -> None:
    given = alike(w)  # which says how they lie
    w.give(call("ops.where", *given), w.order)


@writes(StopGradient, follows=True)
def stop_gradient(w: Writing) -> None:
    w.give(call("ops.stop_gradient", w.x))
