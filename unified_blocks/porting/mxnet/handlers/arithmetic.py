"""Functions of each number by itself: of one, of two, of one and a written constant."""

from __future__ import annotations

import numpy as np

from unified_blocks.porting.graph import Value
from unified_blocks.porting.mxnet.reading import Handler, Reading, register
from unified_blocks.porting.operations.elementwise import COMPARISONS, Cast, Elementwise, Where
from unified_blocks.porting.operations.shapes import FillLike

UNARY = {
    **{
        name: name
        for name in (
            *("relu", "sigmoid", "tanh", "softsign", "exp", "log", "sqrt", "square", "abs"),
            *("negative", "floor", "ceil", "sign", "sin", "cos", "tan", "sinh", "cosh", "arcsin"),
            *("arccos", "arctan", "erf", "trunc", "expm1", "log1p", "log2", "log10", "rsqrt"),
            "reciprocal",
        )
    },
    "fix": "trunc",
    "_contrib_sign_ste": "sign",
}
BINARY = {
    "add": ("_sparse_elemwise_add", "broadcast_add", "broadcast_plus"),
    "subtract": ("elemwise_sub", "_sub", "_minus", "_Minus", "broadcast_sub", "broadcast_minus"),
    "multiply": ("elemwise_mul", "_mul", "_Mul", "broadcast_mul"),
    "divide": ("elemwise_div", "_div", "_Div", "broadcast_div"),
    "maximum": ("_maximum", "_Maximum", "broadcast_maximum"),
    "minimum": ("_minimum", "_Minimum", "broadcast_minimum"),
    "power": ("_power", "_Power", "broadcast_power"),
    "modulo": ("_mod", "_Mod", "broadcast_mod"),
    "equal": ("_equal", "_Equal", "broadcast_equal"),
    "not_equal": ("_not_equal", "_Not_Equal", "broadcast_not_equal"),
    "greater": ("_greater", "_Greater", "broadcast_greater"),
    "greater_equal": ("_greater_equal", "_Greater_Equal", "broadcast_greater_equal"),
    "less": ("_lesser", "_Lesser", "broadcast_lesser"),
    "less_equal": ("_lesser_equal", "_Lesser_Equal", "broadcast_lesser_equal"),
    "logical_and": ("_logical_and", "_Logical_And", "broadcast_logical_and"),
    "logical_or": ("_logical_or", "_Logical_Or", "broadcast_logical_or"),
    "logical_xor": ("_logical_xor", "_Logical_Xor", "broadcast_logical_xor"),
}
SCALAR = {
    "add": ("_plus_scalar", "_PlusScalar"),
    "subtract": ("_minus_scalar", "_MinusScalar"),
    "multiply": ("_mul_scalar", "_MulScalar"),
    "divide": ("_div_scalar", "_DivScalar"),
    "maximum": ("_maximum_scalar", "_MaximumScalar"),
    "minimum": ("_minimum_scalar", "_MinimumScalar"),
    "power": ("_power_scalar", "_PowerScalar"),
    "modulo": ("_mod_scalar", "_ModScalar"),
    "equal": ("_equal_scalar", "_EqualScalar"),
    "not_equal": ("_not_equal_scalar", "_NotEqualScalar"),
    "greater": ("_greater_scalar", "_GreaterScalar"),
    "greater_equal": ("_greater_equal_scalar", "_GreaterEqualScalar"),
    "less": ("_lesser_scalar", "_LesserScalar"),
    "less_equal": ("_lesser_equal_scalar", "_LesserEqualScalar"),
    "logical_and": ("_logical_and_scalar", "_LogicalAndScalar"),
    "logical_or": ("_logical_or_scalar", "_LogicalOrScalar"),
    "logical_xor": ("_logical_xor_scalar", "_LogicalXorScalar"),
}
REVERSED = {
    "subtract": ("_rminus_scalar", "_RMinusScalar"),
    "divide": ("_rdiv_scalar", "_RDivScalar"),
    "power": ("_rpower_scalar", "_RPowerScalar"),
    "modulo": ("_rmod_scalar", "_RModScalar"),
}


def function_of(read: Reading, function: str, *given: Value) -> Value:
    """A function of numbers; what is true or false becomes 1 or 0, as all is a number there."""
    if function == "divide" and all(each.dtype.startswith(("int", "uint")) for each in given):
        function = "quotient"
    if function not in COMPARISONS:
        return read.add(Elementwise(function), *given)
    if function.startswith("logical"):
        given = tuple(boolean(read, each, f"is_{i}") for i, each in enumerate(given))
    made = read.add(Elementwise(function), *given, suffix="is")
    return read.add(Cast(read.inputs[0].dtype), made)


def boolean(read: Reading, value: Value, suffix: str) -> Value:
    """Whether each number is not 0; a number that was made of what is true or false is that."""
    maker = read.maker(value)
    if maker is not None and isinstance(maker.operation, Cast) and maker.inputs[0].dtype == "bool":
        return maker.inputs[0]
    return read.add(Elementwise("not_equal"), value, read.constant(0), suffix=suffix)


def scalar_of(read: Reading) -> Value:
    """The number of an operator with one; whole for whole numbers."""
    read.ignore("is_int")
    number = read.number("scalar", 1.0)
    if not np.issubdtype(read.inputs[0].dtype, np.floating) and number != int(number):
        raise read.refused(f"scalar={number} for numbers that are {read.inputs[0].dtype}")
    return read.constant(number)


def _unary(function: str) -> Handler:
    return lambda read: function_of(read, function, *read.inputs)


def _with_scalar(function: str, reverse: bool = False) -> Handler:
    def handler(read: Reading) -> Value:
        if function.startswith("logical"):
            return logical_scalar(read, function)
        given = (read.inputs[0], scalar_of(read))
        return function_of(read, function, *(given[::-1] if reverse else given))

    return handler


def logical_scalar(read: Reading, function: str) -> Value:
    """A logical function of numbers and one number, which is true or not."""
    (x,), true = read.inputs, read.number("scalar", 1.0) != 0
    read.ignore("is_int")
    if (function, true) in (("logical_or", True), ("logical_and", False)):  # it decides alone
        return read.add(FillLike(float(true)), x)
    inverse = function == "logical_xor" and true
    return function_of(read, "equal" if inverse else "not_equal", x, read.constant(0))


for _operator, _function in UNARY.items():
    register(_operator)(_unary(_function))
for _function, _operators in BINARY.items():
    register(*_operators)(_unary(_function))
for _function, _operators in SCALAR.items():
    register(*_operators)(_with_scalar(_function))
for _function, _operators in REVERSED.items():
    register(*_operators)(_with_scalar(_function, reverse=True))


@register("logical_not")
def logical_not(read: Reading) -> Value:
    return function_of(read, "equal", read.inputs[0], read.constant(0))


@register("round")
def round_(read: Reading) -> Value:
    """To the nearest whole number; from a half, away from zero."""
    (x,) = read.inputs
    large = read.add(Elementwise("abs"), x, suffix="abs")
    more = read.add(Elementwise("add"), large, read.constant(0.5), suffix="half")
    whole = read.add(Elementwise("floor"), more, suffix="floor")
    return read.add(Elementwise("multiply"), read.add(Elementwise("sign"), x, suffix="sign"), whole)


@register("rint")
def rint(read: Reading) -> Value:
    """To the nearest whole number; from a half, downwards."""
    less = read.add(Elementwise("subtract"), read.inputs[0], read.constant(0.5), suffix="half")
    return read.add(Elementwise("ceil"), less)


@register("_hypot", "_Hypot", "broadcast_hypot")
def hypot(read: Reading) -> Value:
    squares = [
        read.add(Elementwise("square"), each, suffix=f"square_{i}")
        for i, each in enumerate(read.inputs)
    ]
    return read.add(Elementwise("sqrt"), read.add(Elementwise("add"), *squares, suffix="sum"))


@register("smooth_l1")
def smooth_l1(read: Reading) -> Value:
    """`(s x)² / 2` where `|x| < 1 / s²`, else `|x| - 1 / 2 s²`."""
    (x,) = read.inputs
    square = read.number("scalar", 1.0) ** 2
    large = read.add(Elementwise("abs"), x, suffix="abs")
    near = read.add(Elementwise("less"), large, read.constant(1 / square), suffix="near")
    curved = read.add(Elementwise("square"), x, suffix="square")
    curved = read.add(
        Elementwise("multiply"), curved, read.constant(square / 2), suffix="quadratic"
    )
    straight = read.add(
        Elementwise("subtract"), large, read.constant(0.5 / square), suffix="linear"
    )
    return read.add(Where(), near, curved, straight)


@register("Cast", "cast", "amp_cast")
def cast(read: Reading) -> Value:
    (x,) = read.inputs
    dtype = read.text("dtype")
    if dtype == x.dtype:
        return x
    if dtype not in ("float16", "float32", "float64", "uint8", "int8", "int32", "int64", "bool"):
        raise read.refused(f"dtype={dtype} is not known")
    return read.add(Cast(dtype), x)


@register("where")
def where(read: Reading) -> Value:
    condition, x, y = read.inputs
    if condition.rank != x.rank:
        raise read.refused(
            f"the condition must have as many axes as the rest; got {condition.shape}"
        )
    return read.add(Where(), boolean(read, condition, "condition"), x, y)


@register("ones_like")
def ones_like(read: Reading) -> Value:
    read.ignore("dtype")  # MXNet ignores it, too
    return read.add(FillLike(1.0), *read.inputs)


@register("zeros_like")
def zeros_like(read: Reading) -> Value:
    read.ignore("dtype")
    return read.add(FillLike(0.0), *read.inputs)


@register("_contrib_div_sqrt_dim")
def div_sqrt_dim(read: Reading) -> Value:
    (x,) = read.inputs
    return read.add(Elementwise("divide"), x, read.constant(x.shape[-1] ** 0.5))
