"""`ub.ops` on TensorFlow tensors."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from unified_blocks.ops import KEEP

# on each element


def pair(function):
    """`function` of two tensors, for numbers too."""

    def of_two(x1, x2):
        if isinstance(x1, bool | int | float):
            x1 = tf.constant(x1, x2.dtype)
        return function(x1, x2)

    return of_two


def tensor(function):
    """`function`, for Keras variables too."""
    return lambda x: function(tf.convert_to_tensor(x))


abs = tensor(tf.abs)
exp = tensor(tf.exp)
expm1 = tensor(tf.math.expm1)
log = tensor(tf.math.log)
log1p = tensor(tf.math.log1p)
sqrt = tensor(tf.sqrt)
square = tensor(tf.square)
sign = tensor(tf.sign)
sin = tensor(tf.sin)
cos = tensor(tf.cos)
erf = tensor(tf.math.erf)
floor = tensor(tf.floor)
ceil = tensor(tf.math.ceil)
round = tensor(tf.round)
isfinite = tensor(tf.math.is_finite)
isnan = tensor(tf.math.is_nan)
add = pair(tf.add)
subtract = pair(tf.subtract)
multiply = pair(tf.multiply)
divide = pair(tf.divide)
pow = pair(tf.pow)
floor_divide = pair(tf.math.floordiv)
remainder = pair(tf.math.floormod)
maximum = pair(tf.maximum)
minimum = pair(tf.minimum)
equal = pair(tf.equal)
not_equal = pair(tf.not_equal)
less = pair(tf.less)
less_equal = pair(tf.less_equal)
greater = pair(tf.greater)
greater_equal = pair(tf.greater_equal)
logical_and = pair(tf.logical_and)
logical_or = pair(tf.logical_or)
logical_not = tf.logical_not


def clip(x, min, max):
    x = tf.convert_to_tensor(x)
    x = x if min is None else tf.maximum(x, tf.constant(min, x.dtype))
    return x if max is None else tf.minimum(x, tf.constant(max, x.dtype))


def where(condition, x1, x2):
    # A number as it is in the dtype of the other: left alone, or cast, it is rounded to float32.
    if isinstance(x1, bool | int | float):
        x1 = tf.constant(x1, x2.dtype)
    elif isinstance(x2, bool | int | float):
        x2 = tf.constant(x2, x1.dtype)
    return tf.where(condition, x1, x2)


def astype(x, dtype):
    return tf.cast(x, dtype)


def stop_gradient(x):
    return tf.stop_gradient(x)


def check_finite(x, message):
    if not tf.executing_eagerly():
        return x
    number = float(x)
    if not math.isfinite(number):
        raise ValueError(message(number))
    return number


# over axes


def sum(x, axis, keepdims):
    x = tf.convert_to_tensor(x)
    return tf.reduce_sum(x if x.dtype.is_floating else tf.cast(x, tf.int64), axis, keepdims)


def mean(x, axis, keepdims):
    return tf.reduce_mean(x, axis, keepdims)


def max(x, axis, keepdims):
    return tf.reduce_max(x, axis, keepdims)


def min(x, axis, keepdims):
    return tf.reduce_min(x, axis, keepdims)


def prod(x, axis, keepdims):
    return tf.reduce_prod(x, axis, keepdims)


def any(x, axis, keepdims):
    return tf.reduce_any(x, axis, keepdims)


def all(x, axis, keepdims):
    return tf.reduce_all(x, axis, keepdims)


def argmax(x, axis):
    return tf.argmax(barrier(x), axis)


def argmin(x, axis):
    return tf.argmin(barrier(x), axis)


def barrier(x):
    """`x`, computed before what follows.

    TensorFlow takes argmax(floor(x)) for argmax(x), and so for all functions that do not decrease,
    which find others than the first of equal ones.
    """
    return tf.ensure_shape(x, x.shape)


def logsumexp(x, axis, keepdims):
    return tf.reduce_logsumexp(x, axis, keepdims)


# matrices and shapes


def matmul(x1, x2):
    return tf.matmul(x1, x2)


def matrix_transpose(x):
    return tf.linalg.matrix_transpose(x)


def reshape(x, shape):
    if KEEP not in shape:
        return tf.reshape(x, shape)
    known = x.shape
    if -1 in shape:
        shape = [left_over(known, shape) if size == -1 else size for size in shape]
    sizes = [known[i] if size is KEEP else size for i, size in enumerate(shape)]
    if None in sizes:
        traced = tf.shape(x)
        sizes = [traced[i] if size is None else size for i, size in enumerate(sizes)]
    return tf.reshape(x, sizes)


def left_over(known, shape):
    """The size that -1 stands for, if the sizes of `x` that are not known are all kept.

    TensorFlow finds it when one size is unknown, and a layer that follows has to know it.
    """
    kept = {i for i, size in enumerate(shape) if size is KEEP}
    others = [size for i, size in enumerate(known) if i not in kept]
    given = math.prod(size for size in shape if size is not KEEP and size != -1)
    if None in others or not given or math.prod(others) % given:
        return -1
    return math.prod(others) // given


def permute_dims(x, axes):
    return tf.transpose(x, axes)


def expand_dims(x, axis):
    return tf.expand_dims(x, axis)


def squeeze(x, axis):
    return tf.squeeze(x, axis)


def concat(arrays, axis):
    return tf.concat(arrays, axis)


def stack(arrays, axis):
    return tf.stack(arrays, axis)


def split(x, sections, axis):
    return tf.split(x, sections, axis)


def broadcast_to(x, shape):
    return tf.broadcast_to(x, shape)


def flip(x, axis):
    return tf.reverse(x, (axis,))


def take(x, indices, axis):
    x = tf.convert_to_tensor(x)
    size = tf.shape(x, indices.dtype)[axis]
    inside = (indices >= 0) & (indices < size)
    taken = tf.gather(x, tf.where(inside, indices, 0), axis=axis)
    outside = np.nan if x.dtype.is_floating else True if x.dtype == tf.bool else x.dtype.min
    sizes = [1] * taken.shape.rank
    sizes[axis] = -1
    return tf.where(tf.reshape(inside, sizes), taken, tf.constant(outside, x.dtype))


def cumulative_sum(x, axis):
    return tf.cumsum(x, axis)


def tril(x, k):
    return tf.where(below(x, k), x, tf.zeros_like(x))


def triu(x, k):
    return tf.where(below(x, k - 1), tf.zeros_like(x), x)


def below(x, k):
    """Where the elements of matrices are on or below the k-th diagonal."""
    rows, columns = tf.shape(x)[-2], tf.shape(x)[-1]
    return tf.range(columns)[None, :] <= tf.range(rows)[:, None] + k


def one_hot(indices, depth, dtype):
    return tf.one_hot(indices, depth, dtype=dtype)


def one_hot_like(indices, x):
    depth = tf.shape(x)[-1] if x.shape[-1] is None else x.shape[-1]
    return tf.one_hot(indices, depth, dtype=x.dtype)


def full(shape, value, like):
    return tf.fill(shape, tf.constant(value, like.dtype))


def full_like(x, value):
    return tf.fill(tf.shape(x), tf.constant(value, x.dtype))


def arange(start, stop, step, like):
    wide = tf.float64 if like.dtype == tf.float16 else like.dtype  # a graph has no range of float16
    return tf.cast(tf.range(start, stop, step, wide), like.dtype)


def eye(n, like):
    return tf.eye(n, dtype=like.dtype)


# control flow


def while_loop(cond, body, state, max_iterations):
    return tf.while_loop(cond, body, state, maximum_iterations=max_iterations)


def cond(pred, true_fn, false_fn, operands):
    return tf.cond(pred, lambda: true_fn(*operands), lambda: false_fn(*operands))
