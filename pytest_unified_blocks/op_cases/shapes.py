"""Products, operations on shapes and new tensors, and what they mean in NumPy."""

import numpy as np

from pytest_unified_blocks.op_cases.case import OpCase
from unified_blocks import KEEP, ops

SHAPES = [
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
    OpCase(
        "squeeze",
        lambda x: ops.squeeze(x, axis=(0, -2)),
        lambda x: x[0, :, 0],
        ((1, 3, 1, 4),),
        label="two",
    ),
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
        for axis in (0, -1, (0, 1), (-1, 0))
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
]
