"""Every operation: how it is called, on what, and what it means in NumPy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks import KEEP, ops


@dataclass(frozen=True)
class OpCase:
    """An operation on arrays drawn from U[low, high).

    Attributes:
        call: calls it on tensors.
        meaning: the same on NumPy arrays.
        shapes: of its arguments.
        differentiable: whether its gradient is compared too, by differences.
    """

    name: str
    call: Callable[..., Any]
    meaning: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...] = ((3, 4),)
    low: float = -2.5
    high: float = 2.5
    differentiable: bool = True
    label: str = ""

    def arrays(self, dtype):
        generator = np.random.default_rng(5)
        return [
            generator.uniform(self.low, self.high, shape).astype(dtype) for shape in self.shapes
        ]


def _erf(x):
    import math

    return np.vectorize(math.erf)(x).astype(x.dtype)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def unary(name, meaning, low=-2.5, high=2.5, differentiable=True):
    return OpCase(name, getattr(ops, name), meaning, ((3, 4),), low, high, differentiable)


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


def reduction(name, meaning, differentiable=True, low=-2.5):
    function = getattr(ops, name)
    return [
        OpCase(
            name,
            lambda x, axis=axis, keepdims=keepdims: function(x, axis=axis, keepdims=keepdims),
            lambda x, axis=axis, keepdims=keepdims: meaning(x, axis=axis, keepdims=keepdims),
            ((3, 4, 2),),
            low,
            2.5,
            differentiable,
            f"{axis}-{keepdims}",
        )
        for axis, keepdims in ((None, False), (0, False), (-2, True), ((0, -1), False), (-1, False))
    ]


def truth(function):
    """A function of truth values, of where numbers are above 0."""
    return lambda *xs: function(*(ops.greater(x, 0) for x in xs))


def np_truth(function):
    return lambda *xs: function(*(x > 0 for x in xs))


LABELS = (1, 3, 0)


def labels(x):
    """The whole numbers `LABELS`, computed from a tensor `(3, …)` of any framework."""
    zero = ops.reshape(ops.sum(ops.stop_gradient(x) * 0, axis=1), (-1,))
    position = ops.cumulative_sum(zero + 1, axis=0)  # 1, 2, 3
    return ops.astype(
        ops.where(ops.equal(position, 1), zero + 1, ops.where(ops.equal(position, 2), zero + 3, 0)),
        "int64",
    )


def np_cross_entropy(x):
    return -np.mean(np.log(_softmax(x, -1))[np.arange(3), list(LABELS)])


def np_huber(x, y, delta):
    d = np.abs(x - y)
    return np.mean(np.where(d <= delta, d * d / 2, delta * (d - delta / 2)))


OPS = [
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
    unary("erf", _erf),
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
    *reduction("sum", np.sum),
    OpCase(
        "sum",
        lambda x: ops.sum(ops.greater(x, 0), axis=1),
        lambda x: np.sum(x > 0, axis=1),
        differentiable=False,
        label="truth values",
    ),
    OpCase(
        "sum",
        lambda x: ops.sum(ops.astype(x, "int32"), axis=1),
        lambda x: np.sum(x.astype("int32"), axis=1),
        differentiable=False,
        label="int32",
    ),
    *reduction("mean", np.mean),
    *reduction("max", np.max),
    *reduction("min", np.min),
    *reduction("prod", np.prod, low=0.5),
    *reduction("var", np.var),
    *reduction("std", np.std),
    *(
        OpCase(
            name,
            lambda x, name=name, axis=axis: getattr(ops, name)(ops.greater(x, -1), axis=axis),
            lambda x, name=name, axis=axis: getattr(np, name)(x > -1, axis=axis),
            differentiable=False,
            label=str(axis),
        )
        for name in ("any", "all")
        for axis in (None, 0, -1)
    ),
    *(
        OpCase(
            name,
            lambda x, name=name, axis=axis: getattr(ops, name)(x, axis=axis),
            lambda x, name=name, axis=axis: getattr(np, name)(x, axis=axis),
            differentiable=False,
            label=str(axis),
        )
        for name in ("argmax", "argmin")
        for axis in (0, -1)
    ),
    *(
        OpCase(
            name,
            lambda x, name=name: getattr(ops, name)(ops.floor(x)),
            lambda x, name=name: getattr(np, name)(np.floor(x), axis=-1),
            ((5, 9),),
            differentiable=False,
            label="ties",
        )
        for name in ("argmax", "argmin")
    ),
    *(
        OpCase(
            "logsumexp",
            lambda x, axis=axis, k=k: ops.logsumexp(x * 100, axis=axis, keepdims=k),
            lambda x, axis=axis, k=k: (
                np.log(np.exp(x * 100 - (x * 100).max(axis, keepdims=True)).sum(axis, keepdims=k))
                + (x * 100).max(axis, keepdims=k)
            ),
            label=f"{axis}-{k}",
        )
        for axis, k in ((0, False), (-1, True))
    ),
    OpCase("matmul", ops.matmul, np.matmul, ((3, 4), (4, 2))),
    OpCase("matmul", ops.matmul, np.matmul, ((2, 3, 4), (2, 4, 5)), label="batch"),
    OpCase("matmul", ops.matmul, np.matmul, ((2, 1, 3, 4), (5, 4, 2)), label="broadcast"),
    OpCase("matmul", ops.matmul, np.matmul, ((2, 3, 4), (4, 5)), label="batch by one"),
    OpCase("matrix_transpose", ops.matrix_transpose, lambda x: x.swapaxes(-1, -2), ((2, 3, 4),)),
    OpCase("reshape", lambda x: ops.reshape(x, (2, -1)), lambda x: x.reshape(2, -1)),
    OpCase(
        "reshape",
        lambda x: ops.reshape(x, (KEEP, KEEP, 2, -1)),
        lambda x: x.reshape(2, 3, 2, 2),
        ((2, 3, 4),),
        label="keep",
    ),
    OpCase(
        "reshape",
        lambda x: ops.reshape(x, (KEEP, -1)),
        lambda x: x.reshape(2, 12),
        ((2, 3, 4),),
        label="join",
    ),
    OpCase("reshape", lambda x: ops.reshape(x, (-1,)), lambda x: x.reshape(-1), label="flat"),
    OpCase(
        "permute_dims",
        lambda x: ops.permute_dims(x, (2, 0, -2)),
        lambda x: x.transpose(2, 0, 1),
        ((2, 3, 4),),
    ),
    *(
        OpCase(
            "expand_dims",
            lambda x, axis=axis: ops.expand_dims(x, axis=axis),
            lambda x, axis=axis: np.expand_dims(x, axis),
            label=str(axis),
        )
        for axis in (0, 1, -1)
    ),
    OpCase("squeeze", lambda x: ops.squeeze(x, axis=-2), lambda x: x[:, 0], ((3, 1, 4),)),
    *(
        OpCase(
            "concat",
            lambda x, y, axis=axis: ops.concat([x, y], axis=axis),
            lambda x, y, axis=axis: np.concatenate([x, y], axis),
            shapes,
            label=str(axis),
        )
        for axis, shapes in ((0, ((3, 4), (2, 4))), (-1, ((3, 4), (3, 1))))
    ),
    *(
        OpCase(
            "stack",
            lambda x, y, axis=axis: ops.stack([x, y], axis=axis),
            lambda x, y, axis=axis: np.stack([x, y], axis),
            ((3, 4), (3, 4)),
            label=str(axis),
        )
        for axis in (0, -1)
    ),
    OpCase(
        "split",
        lambda x: (lambda a, b: a - 2 * b)(*ops.split(x, 2, axis=-1)),
        lambda x: x[:, :2] - 2 * x[:, 2:],
    ),
    OpCase("split", lambda x: ops.split(x, 1, axis=0)[0], lambda x: x, label="one"),
    OpCase(
        "broadcast_to",
        lambda x: ops.broadcast_to(x, (2, 3, 4)),
        lambda x: np.broadcast_to(x, (2, 3, 4)),
        ((3, 1),),
    ),
    *(
        OpCase(
            "flip",
            lambda x, axis=axis: ops.flip(x, axis=axis),
            lambda x, axis=axis: np.flip(x, axis),
            label=str(axis),
        )
        for axis in (0, -1)
    ),
    *(
        OpCase(
            "take",
            lambda x, axis=axis: ops.take(x, ops.argmax(x, axis=1 - axis), axis=axis),
            lambda x, axis=axis: np.take(x, np.argmax(x, axis=1 - axis), axis=axis),
            ((4, 4),),
            label=str(axis),
        )
        for axis in (0, 1)
    ),
    *(
        OpCase(
            "cumulative_sum",
            lambda x, axis=axis: ops.cumulative_sum(x, axis=axis),
            lambda x, axis=axis: np.cumsum(x, axis),
            label=str(axis),
        )
        for axis in (0, -1)
    ),
    *(
        OpCase(
            name,
            lambda x, name=name, k=k: getattr(ops, name)(x, k=k),
            lambda x, name=name, k=k: getattr(np, name)(x, k),
            ((2, 3, 4),),
            label=str(k),
        )
        for name in ("tril", "triu")
        for k in (-1, 0, 1)
    ),
    OpCase(
        "one_hot",
        lambda x: ops.one_hot(ops.argmax(x), 4),
        lambda x: np.eye(4, dtype="float32")[x.argmax(-1)],
        differentiable=False,
    ),
    OpCase(
        "one_hot",
        lambda x: ops.one_hot(ops.argmax(x) + 2, 4, dtype="float64"),
        lambda x: np.eye(6)[x.argmax(-1) + 2][:, :4],
        differentiable=False,
        label="outside",
    ),
    OpCase("full", lambda x: x * ops.full((3, 4), 2.5, like=x), lambda x: x * x.dtype.type(2.5)),
    OpCase(
        "zeros",
        lambda x: x + ops.zeros((2, 3, 4), like=x),
        lambda x: x + x.dtype.type(0) * np.ones((2, 1, 1), x.dtype),
    ),
    OpCase("ones", lambda x: x * ops.ones((3, 4), like=x), lambda x: x),
    OpCase("full_like", lambda x: x * ops.full_like(x, 3), lambda x: x * x.dtype.type(3)),
    OpCase("zeros_like", lambda x: x + ops.zeros_like(x), lambda x: x),
    OpCase("ones_like", lambda x: x + ops.ones_like(x), lambda x: x + x.dtype.type(1)),
    OpCase(
        "arange", lambda x: x * ops.arange(4, like=x), lambda x: x * np.arange(4, dtype=x.dtype)
    ),
    OpCase(
        "arange",
        lambda x: x * ops.arange(1, 3, 0.5, like=x),
        lambda x: x * np.arange(1, 3, 0.5, dtype=x.dtype),
        label="step",
    ),
    OpCase("eye", lambda x: ops.matmul(x, ops.eye(4, like=x)), lambda x: x),
    unary("relu", lambda x: np.maximum(x, 0)),
    unary("leaky_relu", lambda x: np.where(x > 0, x, x.dtype.type(0.01) * x)),
    unary("elu", lambda x: np.where(x > 0, x, np.expm1(x))),
    OpCase(
        "elu",
        lambda x: ops.elu(x, alpha=0.5),
        lambda x: np.where(x > 0, x, np.expm1(x) / 2),
        label="alpha",
    ),
    unary(
        "selu",
        lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    ),
    unary("gelu", lambda x: x * (1 + _erf(x / np.sqrt(x.dtype.type(2)))) / 2),
    unary("silu", lambda x: x * _sigmoid(x)),
    unary("sigmoid", _sigmoid),
    unary("hard_sigmoid", lambda x: np.clip(x + 3, 0, 6) / 6, -5, 5),
    unary("tanh", np.tanh),
    unary("softplus", lambda x: np.logaddexp(x, 0), -40, 40),
    unary("softsign", lambda x: x / (1 + np.abs(x))),
    *(
        OpCase(
            "softmax",
            lambda x, axis=axis: ops.softmax(x, axis=axis),
            lambda x, axis=axis: _softmax(x, axis),
            ((3, 4, 2),),
            label=str(axis),
        )
        for axis in (0, -1, -2)
    ),
    *(
        OpCase(
            "log_softmax",
            lambda x, axis=axis: ops.log_softmax(x, axis=axis),
            lambda x, axis=axis: np.log(_softmax(x, axis)),
            ((3, 4, 2),),
            label=str(axis),
        )
        for axis in (0, -1, -2)
    ),
    OpCase("dropout", lambda x: ops.dropout(x, 0.5, training=False), lambda x: x),
    OpCase("dropout", lambda x: ops.dropout(x, 0.0, training=True), lambda x: x, label="rate 0"),
    OpCase("mse", ops.mse, lambda x, y: np.mean((x - y) ** 2), ((3, 4), (3, 4))),
    OpCase("mae", ops.mae, lambda x, y: np.mean(np.abs(x - y)), ((3, 4), (3, 4))),
    OpCase("huber", ops.huber, lambda x, y: np_huber(x, y, 1), ((3, 4), (3, 4))),
    OpCase(
        "huber",
        lambda x, y: ops.huber(x, y, delta=0.7),
        lambda x, y: np_huber(x, y, 0.7),
        ((3, 4), (3, 4)),
        label="delta",
    ),
    OpCase("cross_entropy", lambda x: ops.cross_entropy(x, labels(x)), np_cross_entropy),
    OpCase(
        "binary_cross_entropy",
        lambda x, y: ops.binary_cross_entropy(x * 20, ops.sigmoid(y)),
        lambda x, y: np.mean(np.logaddexp(0, x * 20) - x * 20 * _sigmoid(y)),
        ((3, 4), (3, 4)),
    ),
    OpCase(
        "while_loop",
        lambda x: ops.while_loop(
            lambda h, n: ops.greater(ops.sum(ops.abs(h)), 1),
            lambda h, n: (h / 2, n + 1),
            (x, ops.sum(x * 0)),
            max_iterations=20,
        )[0],
        lambda x: x / 2.0 ** max(0, np.ceil(np.log2(np.abs(x).sum()))),
        label="until",
        differentiable=False,
    ),
    OpCase(
        "while_loop",
        lambda x: ops.while_loop(
            lambda h: ops.greater(ops.sum(ops.abs(h)), 0),
            lambda h: h / 2,
            (x,),
            max_iterations=3,
        )[0],
        lambda x: x / 8,
        label="maximum",
    ),
    *(
        OpCase(
            "cond",
            lambda x, sign=sign: ops.cond(
                ops.greater(ops.sum(ops.abs(x)) * sign, 0), lambda x: x * 3, lambda x: x - 1, x
            ),
            lambda x, sign=sign: x * 3 if sign > 0 else x - 1,
            label=str(sign),
        )
        for sign in (1, -1)
    ),
]
