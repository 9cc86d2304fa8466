"""Activations, losses and control flow, and what they mean in NumPy."""

import numpy as np

from pytest_unified_blocks.op_cases.case import OpCase, np_erf, unary
from unified_blocks import ops


def np_sigmoid(x):
    return 1 / (1 + np.exp(-x))


def np_softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def np_gelu_tanh(x):
    return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2


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
    return -np.mean(np.log(np_softmax(x, -1))[np.arange(3), list(LABELS)])


def np_huber(x, y, delta):
    d = np.abs(x - y)
    return np.mean(np.where(d <= delta, d * d / 2, delta * (d - delta / 2)))


def np_attention(q, k, v, mask=None, causal=False, scale=None):
    scores = q @ np.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    seen = np.ones(scores.shape[-2:], bool)
    seen = (np.tril(seen) if causal else seen) & (True if mask is None else mask)
    e = np.where(seen, np.exp(scores - scores.max(-1, keepdims=True)), 0)
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, 1, total) @ v


NEURAL = [
    *(
        OpCase(
            "scaled_dot_product_attention",
            lambda *qkv, options=options: ops.scaled_dot_product_attention(*qkv, **options),
            lambda *qkv, options=options: np_attention(*qkv, **options),
            shapes,
            label=label,
        )
        for label, shapes, options in (
            ("", ((4, 3), (5, 3), (5, 2)), {}),
            ("heads", ((2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 5)), {"scale": 0.3}),
            ("causal", ((2, 4, 3), (2, 4, 3), (2, 4, 3)), {"causal": True}),
            ("causal, fewer keys", ((2, 5, 3), (2, 3, 3), (2, 3, 4)), {"causal": True}),
            ("causal, more keys", ((3, 3), (5, 3), (5, 3)), {"causal": True}),
        )
    ),
    *(
        OpCase(
            "scaled_dot_product_attention",
            lambda q, k, v, m, causal=causal: ops.scaled_dot_product_attention(
                q, k, v, ops.greater(m, 0), causal=causal
            ),
            lambda q, k, v, m, causal=causal: np_attention(q, k, v, m > 0, causal),
            ((2, 2, 4, 3), (2, 2, 5, 3), (2, 2, 5, 3), shape),
            label=label,
        )
        for label, shape, causal in (
            ("mask", (4, 5), False),
            ("mask of keys", (2, 1, 1, 5), False),
            ("mask of all, causal", (2, 2, 4, 5), True),
            ("mask of queries", (2, 1, 4, 1), False),
        )
    ),
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
    unary("gelu", lambda x: x * (1 + np_erf(x / np.sqrt(x.dtype.type(2)))) / 2),
    unary("silu", lambda x: x * np_sigmoid(x)),
    unary("sigmoid", np_sigmoid),
    unary("hard_sigmoid", lambda x: np.clip(x + 3, 0, 6) / 6, -5, 5),
    unary("tanh", np.tanh),
    unary("softplus", lambda x: np.logaddexp(x, 0), -40, 40),
    unary("softsign", lambda x: x / (1 + np.abs(x))),
    unary("relu6", lambda x: np.clip(x, 0, 6), -2, 9),
    unary("hard_swish", lambda x: x * np.clip(x + 3, 0, 6) / 6, -5, 5),
    unary("mish", lambda x: x * np.tanh(np.logaddexp(x, 0)), -20, 20),
    unary("gelu_tanh", np_gelu_tanh),
    OpCase("gelu", lambda x: ops.gelu(x, approximate=True), np_gelu_tanh, label="approximate"),
    OpCase("prelu", ops.prelu, lambda x, w: np.where(x > 0, x, w * x), ((3, 4), (4,))),
    *(
        OpCase(
            "softmax",
            lambda x, axis=axis: ops.softmax(x, axis=axis),
            lambda x, axis=axis: np_softmax(x, axis),
            ((3, 4, 2),),
            label=str(axis),
        )
        for axis in (0, -1, -2)
    ),
    *(
        OpCase(
            "log_softmax",
            lambda x, axis=axis: ops.log_softmax(x, axis=axis),
            lambda x, axis=axis: np.log(np_softmax(x, axis)),
            ((3, 4, 2),),
            label=str(axis),
        )
        for axis in (0, -1, -2)
    ),
    OpCase("dropout", lambda x: ops.dropout(x, 0.5, training=False), lambda x: x),
    OpCase("dropout", lambda x: ops.dropout(x, 0.0, training=True), lambda x: x, label="rate 0"),
    OpCase("mse", ops.mse, lambda x, y: np.mean((x - y) ** 2), ((3, 4), (3, 4))),
    OpCase("l1", ops.l1, lambda x, y: np.mean(np.abs(x - y)), ((3, 4), (3, 4))),
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
        "cross_entropy",
        lambda x: ops.cross_entropy(x, labels(x), label_smoothing=0.1),
        lambda x: 0.9 * np_cross_entropy(x) - 0.1 * np.mean(np.log(np_softmax(x, -1))),
        label="smoothing",
    ),
    OpCase(
        "binary_cross_entropy",
        lambda x, y: ops.binary_cross_entropy(x * 20, ops.sigmoid(y)),
        lambda x, y: np.mean(np.logaddexp(0, x * 20) - x * 20 * np_sigmoid(y)),
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
