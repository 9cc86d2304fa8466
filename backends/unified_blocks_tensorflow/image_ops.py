"""The part of `ub.ops` that is about images, on TensorFlow tensors."""

from __future__ import annotations

import tensorflow as tf


def pad(x, pads, mode, value):
    x = tf.convert_to_tensor(x)
    if mode == "constant":
        return tf.pad(x, pads, constant_values=tf.constant(value, x.dtype))
    if mode == "reflect":
        return tf.pad(x, pads, "REFLECT")
    for axis, (before, after) in enumerate(pads):
        if before or after:
            n = tf.shape(x)[axis]
            inside = tf.clip_by_value(tf.range(-before, n + after), 0, n - 1)
            x = tf.gather(x, inside, axis=axis)
    return x


def resize(x, sizes, axes, method, align_corners):
    """Its own computes in float32 whatever it is given, and rounds where the nearest are."""
    x = tf.convert_to_tensor(x)
    for axis, m in zip(axes, sizes, strict=True):
        n = tf.shape(x)[axis]
        if method == "nearest":
            x = tf.gather(x, tf.range(m) * n // m, axis=axis)
            continue
        size, last = tf.cast(n, tf.float64), n - 1
        place = tf.range(m)
        if align_corners:
            at = tf.cast(place * last, tf.float64) / tf.cast(tf.maximum(m - 1, 1), tf.float64)
        else:
            at = (tf.cast(place, tf.float64) + 0.5) * size / tf.cast(m, tf.float64) - 0.5
            at = tf.clip_by_value(at, 0, size - 1)
        low = tf.cast(tf.floor(at), tf.int32)
        share = tf.cast(at - tf.floor(at), x.dtype)
        share = tf.reshape(share, (-1, *(1,) * (-1 - axis)))
        high = tf.gather(x, tf.minimum(low + 1, last), axis=axis)
        x = tf.gather(x, low, axis=axis) * (1 - share) + high * share
    return x


def sizes_of(X):
    """The sizes of `X`: numbers where they are known, else tensors."""
    if None not in X.shape:
        return tuple(X.shape)
    traced = tf.unstack(tf.shape(X))
    return tuple(n if known is None else known for known, n in zip(X.shape, traced, strict=True))
