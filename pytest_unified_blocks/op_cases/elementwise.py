"""Operations on each element, and what they mean in NumPy."""

import numpy as np

from pytest_unified_blocks.op_cases.case import OpCase, np_erf, unary
from unified_blocks import ops


def binary(name, meaning, low=-2.5, high=2.5, differentiable=True):
    function = getattr(ops, name)
    shapes = ((3, 1, 4), (2, 4))
    return [
        OpCase(name, function, meaning, shapes, low, high, differentiable, "broadcast"),
        OpCase(
            name,
            lambda x: function(x, 2),
            lambda x: meaning(x, x.dtype.type(2)),
            ((3, 4),),
            low,
            high,
            differentiable,
            "number second",
        ),
        OpCase(
            name,
            lambda x: function(2.0, x),
            lambda x: meaning(x.dtype.type(2), x),
            ((3, 4),),
            low,
            high,
            differentiable,
            "number first",
        ),
    ]


def truth(function):
    """A function of truth values, of where numbers are above 0."""
    return lambda *xs: function(*(ops.greater(x, 0) for x in xs))


def np_truth(function):
    return lambda *xs: function(*(x > 0 for x in xs))


ELEMENTWISE = [
    unary("abs", np.abs),
    unary("exp", np.exp),
    unary("expm1", np.expm1),
    unary("log", np.log, 0.1),
    unary("log1p", np.log1p, -0.9),
    unary("sqrt", np.sqrt, 0.1),
    unary("square", np.square),
    unary("sign", np.sign),
    unary("sin", np.sin),
    unary("cos", np.cos),
    unary("erf", np_erf),
    unary("floor", np.floor),
    unary("ceil", np.ceil),
    unary("round", np.round),
    OpCase(
        "round",
        lambda x: ops.round(ops.floor(x) + 0.5),
        lambda x: np.round(np.floor(x) + 0.5),
        low=-6,
        high=6,
        label="halves",
    ),
    unary("isfinite", np.isfinite, differentiable=False),
    OpCase(
        "isfinite",
        lambda x: ops.isfinite(ops.log(x)),
        lambda x: np.isfinite(np.log(x)),
        differentiable=False,
        label="nan",
    ),
    OpCase(
        "isnan",
        lambda x: ops.isnan(ops.log(x)),
        lambda x: np.isnan(np.log(x)),
        differentiable=False,
    ),
    *binary("add", np.add),
    *binary("subtract", np.subtract),
    *binary("multiply", np.multiply),
    *binary("divide", np.divide, 0.5),
    *binary("pow", np.power, 0.5),
    *binary("floor_divide", np.floor_divide, 0.7, differentiable=False),
    *binary("floor_divide", np.floor_divide, -7.3, -0.7, differentiable=False)[1:],
    *binary("remainder", np.remainder, 0.7, differentiable=False),
    *binary("remainder", np.remainder, -7.3, -0.7, differentiable=False)[1:],
    *binary("maximum", np.maximum),
    *binary("minimum", np.minimum),
    *binary("equal", np.equal, differentiable=False),
    *binary("not_equal", np.not_equal, differentiable=False),
    *binary("less", np.less, differentiable=False),
    *binary("less_equal", np.less_equal, differentiable=False),
    *binary("greater", np.greater, differentiable=False),
    *binary("greater_equal", np.greater_equal, differentiable=False),
    OpCase("clip", lambda x: ops.clip(x, -1, 1.5), lambda x: np.clip(x, -1, 1.5)),
    OpCase("clip", lambda x: ops.clip(x, min=0.5), lambda x: np.clip(x, 0.5, None), label="min"),
    OpCase("clip", lambda x: ops.clip(x, max=0.5), lambda x: np.clip(x, None, 0.5), label="max"),
    OpCase("clip", ops.clip, lambda x: x, label="nothing"),
    *(
        OpCase(
            name,
            truth(getattr(ops, name)),
            np_truth(getattr(np, name)),
            ((3, 1, 4), (2, 4)),
            differentiable=False,
        )
        for name in ("logical_and", "logical_or")
    ),
    OpCase("logical_not", truth(ops.logical_not), np_truth(np.logical_not), differentiable=False),
    OpCase(
        "where",
        lambda x, y: ops.where(ops.greater(x, 0), x, y),
        lambda x, y: np.where(x > 0, x, y),
        ((3, 4), (3, 4)),
    ),
    OpCase(
        "where",
        lambda x: ops.where(ops.greater(x, 0), x, -1),
        lambda x: np.where(x > 0, x, x.dtype.type(-1)),
        label="number second",
    ),
    OpCase(
        "where",
        lambda x: ops.where(ops.greater(x, 0), 0.5, x),
        lambda x: np.where(x > 0, x.dtype.type(0.5), x),
        label="number first",
    ),
    *(
        OpCase(
            "astype",
            lambda x, dtype=dtype: ops.astype(x, dtype),
            lambda x, dtype=dtype: x.astype(dtype),
            differentiable=False,
            label=dtype,
        )
        for dtype in ("float32", "float64", "int32", "int64", "bool")
    ),
    OpCase("stop_gradient", ops.stop_gradient, lambda x: x, differentiable=False),
    OpCase(
        "check_finite",
        lambda x: (ops.check_finite(ops.sum(x), str), x)[1],
        lambda x: x,
    ),
]
