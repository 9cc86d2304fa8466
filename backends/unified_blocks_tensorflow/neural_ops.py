"""The part of `ub.ops` that neural networks need, on TensorFlow tensors."""

from __future__ import annotations

import math
import sys

import keras
import tensorflow as tf

from unified_blocks.ops import register
from unified_blocks_tensorflow import image_ops, ops
from unified_blocks_tensorflow.ops import tensor, where
from unified_blocks_tensorflow.symbolic import Symbolic

relu = tensor(tf.nn.relu)
silu = tensor(tf.nn.silu)
sigmoid = tensor(tf.sigmoid)
tanh = tensor(tf.tanh)
softplus = tensor(tf.nn.softplus)
softsign = tensor(tf.nn.softsign)


def leaky_relu(x, negative_slope):
    return tf.where(x > 0, x, negative_slope * x)  # its own rounds the slope to float32


def gelu(x):
    if x.dtype != tf.float64:
        return tf.nn.gelu(x, approximate=False)
    return x * (1 + tf.math.erf(x / math.sqrt(2))) / 2  # its own rounds the root to float32


def elu(x, alpha):
    return keras.activations.elu(tf.convert_to_tensor(x), alpha)


def selu(x):
    return 1.0507009873554805 * elu(x, 1.6732632423543772)  # its own has another slope at 0


def hard_sigmoid(x):
    return tf.nn.relu6(x + 3) / 6


def softmax(x, axis):
    return tf.nn.softmax(x, axis)


def log_softmax(x, axis):
    return tf.nn.log_softmax(x, axis)


seeded: list[keras.random.SeedGenerator] = []
"""The generator that `dropout` draws from, from its seed on; see `seeds.py`."""


def dropout(x, rate):
    # What graphs draw by TensorFlow's own cannot be seeded anew. Replicas cannot share a generator.
    if seeded and tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return keras.random.dropout(x, rate, seed=seeded[0])
    return tf.nn.dropout(x, rate)


def scaled_dot_product_attention(query, key, value, mask, causal, scale, drop=None, apart=False):
    """See `ub.ops`; `apart`, the heads are before the last axis, and so they are in what it gives.

    `Einsum` turns them in less time than a transpose before the product takes.
    """
    if scale is None:
        width = query.shape[-1] or tf.cast(tf.shape(query)[-1], query.dtype)
        scale = width**-0.5
    query = query * scale
    if apart:
        scores = tf.raw_ops.Einsum(inputs=(query, key), equation="nqhd,nkhd->nhqk")
    else:
        scores = tf.matmul(query, key, transpose_b=True)  # (…, q, k)
    may_be_empty = mask is not None
    if causal:
        size = scores.shape[-2:]
        size = size if size.is_fully_defined() else tf.shape(scores)[-2:]
        seen = tf.linalg.band_part(tf.ones(size, tf.bool), -1, 0)
        mask = seen if mask is None else mask & seen
    if mask is not None:
        scores = where(mask, scores, scores.dtype.min)
    weights = tf.nn.softmax(scores)
    weights = weights if drop is None else drop(weights)
    if apart:
        Y = tf.raw_ops.Einsum(inputs=(weights, value), equation="nhqk,nkhd->nqhd")
    else:
        Y = tf.matmul(weights, value)  # (…, q, e)
    if not may_be_empty:
        return Y
    some = tf.reduce_any(mask, -1, keepdims=True)
    return where(tf.transpose(some, (0, 2, 1, 3)) if apart else some, Y, 0)


FLOATS = (tf.float16, tf.bfloat16, tf.float32, tf.float64)
EAGER, TRACED = tf.__internal__.EagerTensor, tf.__internal__.SymbolicTensor
TENSORS = (EAGER, TRACED, tf.Tensor, tf.Variable, keras.Variable)
register(
    "tensorflow", "TensorFlow", (ops, image_ops, sys.modules[__name__]), TENSORS, floats=FLOATS
)
register("tensorflow", "TensorFlow", Symbolic(), (keras.KerasTensor,), floats=FLOATS, symbolic=True)
