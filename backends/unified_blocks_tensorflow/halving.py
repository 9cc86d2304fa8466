"""The loop of FixedHiddenMLP, for graphs that have none."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf


def halved(H: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """`while sum(|H|) > 1: H = H / 2` without a loop: the same bits, nan where it must fail.

    `dtype` is that of `H`.
    """
    total = tf.stop_gradient(tf.reduce_sum(tf.abs(H)))
    exponents = math.frexp(float(dtype.max))[1]  # 128 in float32, 1024 in float64
    powers = 2.0 ** np.arange(exponents)
    k = tf.reduce_sum(tf.cast(total > tf.constant(powers, dtype), tf.int32))
    halves = tf.constant(1 / powers, dtype)
    scale = tf.where(tf.math.is_finite(total), tf.gather(halves, k // 2), np.nan)
    # The shape is a barrier: without it TensorFlow multiplies the two factors first, and their
    # product can be subnormal, which it takes for zero.
    return tf.ensure_shape(H * scale, H.shape) * tf.gather(halves, k - k // 2)
