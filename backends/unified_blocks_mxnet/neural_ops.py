"""The part of `ub.ops` that neural networks need, on MXNet arrays and symbols."""

from __future__ import annotations

import math
import sys
from functools import partial

import numpy as np

from unified_blocks.ops import register
from unified_blocks_mxnet import image_ops, ops
from unified_blocks_mxnet.compat import mx
from unified_blocks_mxnet.functions import anywhere, legacy
from unified_blocks_mxnet.ops import (
    abs,  # noqa: A004
    any,  # noqa: A004
    erf,
    exp,
    expand_dims,
    expm1,
    full_like,
    greater_equal,
    log1p,
    logical_and,
    logsumexp,
    maximum,
    minimum,
    sqrt,
    squeeze,
    sum,  # noqa: A004
    where,
)
from unified_blocks_mxnet.whole_numbers import namespace


def relu(x):
    return namespace(x).npx.relu(x)


def leaky_relu(x, negative_slope):
    return where(x > 0, x, negative_slope * x)  # its own rounds the numbers here to float32


def elu(x, alpha):
    return where(x > 0, x, alpha * expm1(minimum(x, 0)))


def selu(x):
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def gelu(x):
    # MXNet's own computes in float32, whatever it is given, and takes no single number.
    if getattr(x, "dtype", None) == np.float32 and x.ndim:
        return mx.npx.leaky_relu(x, act_type="gelu")
    return x * (1 + erf(x / math.sqrt(2))) / 2


def silu(x):
    return x * sigmoid(x)


def sigmoid(x):
    return namespace(x).npx.sigmoid(x)


def hard_sigmoid(x):
    return where(x >= 3, 1, where(x <= -3, 0, (x + 3) / 6))  # clip has a derivative at the bounds


def tanh(x):
    return namespace(x).np.tanh(x)


def softplus(x):
    # Its own is off by 4e-6 in float32. Neither branch overflows, in float16 either.
    below = log1p(exp(minimum(x, 0)))
    return where(x > 0, x + log1p(exp(-maximum(x, 0))), below)


def softsign(x):
    return x / (1 + abs(x))


def softmax(x, axis):
    return namespace(x).npx.softmax(x, axis=axis)


def log_softmax(x, axis):
    return x - logsumexp(x, axis, True)  # its own is off by more than twice as much in float32


def dropout(x, rate):
    kept = namespace(x).npx.dropout(full_like(x, 1), p=rate, mode="always") > 0
    return where(kept, x / (1 - rate), 0)  # its own rounds the factor to float32


@anywhere
def scaled_dot_product_attention(query, key, value, mask, causal, scale, drop=None):
    if scale is None:
        scale = 1 / sqrt(sum(full_like(query, 1), -1, True))  # a symbol tells no sizes
    Q, K, V = map(in_front, (query * scale, key, value))
    scores = batch_dot(Q, K, True)  # (…, q, k), what is in front as one axis
    may_be_empty = mask is not None
    if causal:
        mask = lower(scores) if mask is None else logical_and(mask, lower(scores))
    if mask is not None:
        lowest = LOWEST.get(getattr(scores, "dtype", np.dtype("float32")))
        scores = in_front(where(mask, apart(scores, query), lowest))
    weights = softmax(scores, -1)
    if drop is not None:
        weights = drop(weights)
    Y = apart(batch_dot(weights, V, False), query)  # (…, q, e)
    return where(any(mask, -1, True), Y, 0) if may_be_empty else Y


def batch_dot(x1, x2, transpose_b):
    """The products of matrices `(b, n, m)`, twice as fast as `matmul`, which may broadcast."""
    if getattr(x1, "dtype", None) == np.float16 and x1.ctx.device_type == "cpu":
        return batch_dot(x1.astype("float32"), x2.astype("float32"), transpose_b).astype("float16")
    return namespace(x1).npx.batch_dot(x1, x2, transpose_b=transpose_b)


def lower(scores):
    """The keys that each query sees: those up to its own place."""
    F = namespace(scores)
    queries, keys = (F.npx.arange_like(scores, axis=axis) for axis in (-2, -1))
    return greater_equal(expand_dims(queries, -1), keys)


def in_front(x):
    """`(…, n, m)` with what is in front as one axis."""
    return namespace(x).npx.reshape(x, (-1, -2, -2), reverse=True)


def apart(x, like):
    """`(b, n, m)` with the axes that are in front of the last two in `like`."""
    alike = partial(namespace(x).reshape_like, rhs_end=-2)
    if isinstance(like, mx.np.ndarray) and like.ndim > 2:
        return legacy(partial(alike, lhs_end=1), x, like)
    one_more = (expand_dims(each, 0) for each in (x, like))  # since there may be none in front
    return squeeze(legacy(partial(alike, lhs_end=2), *one_more), 0)


LOWEST = {np.dtype(name): float(np.finfo(name).min) for name in ("float16", "float32", "float64")}
"""What scores are where nothing is seen; of a symbol, which tells no dtype, that of float32."""


register(
    "mxnet", "MXNet", (ops, image_ops, sys.modules[__name__]), (mx.np.ndarray, mx.sym.numpy._Symbol)
)
