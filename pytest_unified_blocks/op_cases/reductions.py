"""Operations over axes, and what they mean in NumPy."""

import numpy as np

from pytest_unified_blocks.op_cases.case import OpCase
from unified_blocks import ops


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


REDUCTIONS = [
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
            lambda x, name=name, axis=axis: getattr(ops, name)(x, axis=axis, correction=1),
            lambda x, name=name, axis=axis: getattr(np, name)(x, axis=axis, ddof=1),
            ((3, 4, 2),),
            label=f"{axis}-correction",
        )
        for name in ("var", "std")
        for axis in (None, -2, (0, -1))
    ),
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
]
