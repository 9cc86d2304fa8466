"""The part of `ub.ops` that neural networks need, on MXNet arrays and symbols."""

from __future__ import annotations

import math
import sys

import numpy as np

from unified_blocks.ops import register
from unified_blocks_mxnet import image_ops, ops
from unified_blocks_mxnet.compat import mx
from unified_blocks_mxnet.ops import (
    abs,  # noqa: A004
    erf,
    exp,
    expm1,
    full_like,
    log1p,
    logsumexp,
    maximum,
    minimum,
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


register(
    "mxnet", "MXNet", (ops, image_ops, sys.modules[__name__]), (mx.np.ndarray, mx.sym.numpy._Symbol)
)
