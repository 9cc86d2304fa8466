"""Operations on each number by itself."""

from __future__ import annotations

import math

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.elementwise import (
    BINARY,
    COMPARISONS,
    Cast,
    Clip,
    Dropout,
    Elementwise,
    StopGradient,
    Where,
)
from unified_blocks.porting.writing.pieces import Piece, Slot, call, text
from unified_blocks.porting.writing.portable.vocabulary import writes
from unified_blocks.porting.writing.words import Word

LAYERS = {
    "relu": "ub.ReLU()",
    "relu6": "ub.ReLU6()",
    "sigmoid": "ub.Sigmoid()",
    "tanh": "ub.Tanh()",
    "softsign": "ub.Softsign()",
    "softplus": "ub.Softplus()",
    "elu": "ub.ELU()",
    "selu": "ub.SELU()",
    "gelu": "ub.GELU()",
    "gelu_tanh": "ub.GELU(approximate=True)",
    "silu": "ub.SiLU()",
    "mish": "ub.Mish()",
    "leaky_relu": "ub.LeakyReLU()",
    "hard_swish": "ub.HardSwish()",
    "hard_sigmoid": "ub.HardSigmoid()",
}
"""The layer of each activation, which `activation=` of others can be, too."""

FUNCTIONS = {
    *("exp", "log", "sqrt", "square", "abs", "floor", "ceil", "sign", "sin", "cos", "erf"),
    *("equal", "not_equal", "greater", "less", "greater_equal", "less_equal"),
    *("maximum", "minimum", "expm1", "log1p", "logical_and", "logical_or", "logical_not"),
}
"""Operations of `ub.ops` of the same name."""

EXPRESSIONS = {
    **{name: f"ub.ops.{name}({{}})" for name in FUNCTIONS},
    **{name: f"ub.ops.{name}({{}}, {{}})" for name in FUNCTIONS & {*BINARY, *COMPARISONS}},
    "logical_not": "ub.ops.logical_not({})",
    "logical_xor": "ub.ops.not_equal({}, {})",
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": "{} * {}",
    "divide": "{} / {}",
    "negative": "-{}",
    "modulo": "ub.ops.remainder({}, {})",
    "power": "ub.ops.pow({}, {})",
    "reciprocal": "1 / {}",
    "rsqrt": "1 / ub.ops.sqrt({})",
    "log2": f"ub.ops.log({{}}) / {math.log(2)}",
    "log10": f"ub.ops.log({{}}) / {math.log(10)}",
    "log_sigmoid": "-ub.ops.softplus(-{})",
}
"""Of each other function, what it is; a `{}` for each number that it takes."""
TWICE = {
    "tan": "ub.ops.sin({}) / ub.ops.cos({})",
    "sinh": "(ub.ops.expm1({}) - ub.ops.expm1(-{})) / 2",
    "cosh": "(ub.ops.exp({}) + ub.ops.exp(-{})) / 2",
    "trunc": "ub.ops.sign({}) * ub.ops.floor(ub.ops.abs({}))",
}
"""The same, of functions of one number that is named twice."""


def knows(function: str) -> bool:
    """Whether a function of numbers can be written."""
    return function in LAYERS or function in EXPRESSIONS or function in TWICE


@writes(Elementwise)
def elementwise(operation: Elementwise, node: Node) -> Word:
    name = operation.function
    if name in LAYERS:
        function = text(f"ub.ops.{name}({{}})", *node.inputs)
        return Word(text(LAYERS[name]), expression=function)
    if name in EXPRESSIONS:
        return Word(expression=text(EXPRESSIONS[name], *node.inputs))
    if name in TWICE:
        return Word(expression=text(TWICE[name], *node.inputs, *node.inputs))
    raise UnsupportedError(f"{name} is no operation of portable blocks")


@writes(Clip)
def clip(operation: Clip, node: Node) -> Word:
    (x,) = node.inputs
    if x.dtype.startswith(("int", "uint")):
        inside = Slot(int(operation.low), "low"), Slot(int(operation.high), "high")
        return Word(expression=text("ub.ops.clip({}, {}, {})", x, *inside))
    if (operation.low, operation.high) == (0, 6):
        return Word(text(LAYERS["relu6"]), expression=text("ub.ops.relu6({})", x))
    low, high = Slot(operation.low, "low"), Slot(operation.high, "high")
    layer: Piece = text("ub.Lambda(lambda x: ub.ops.clip(x, {}, {}))", low, high)
    return Word(layer, expression=text("ub.ops.clip({}, {}, {})", x, low, high))


@writes(Dropout)
def dropout(operation: Dropout, node: Node) -> Word:
    return Word(call("ub.Dropout", Slot(operation.rate, "rate"), axes=(operation.axes, ())))


@writes(StopGradient)
def stop_gradient(operation: StopGradient, node: Node) -> Word:
    return Word(expression=call("ub.ops.stop_gradient", *node.inputs))


@writes(Cast)
def cast(operation: Cast, node: Node) -> Word:
    dtype = Slot(operation.dtype, "dtype")
    return Word(expression=call("ub.ops.astype", *node.inputs, dtype))


@writes(Where)
def where(operation: Where, node: Node) -> Word:
    return Word(expression=call("ub.ops.where", *node.inputs))
