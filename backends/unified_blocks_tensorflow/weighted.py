"""Losses of TensorFlow of which each sample has a weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from unified_blocks.backend import Loss
from unified_blocks.training.losses import check_alike, check_lengths, check_weighted, is_one_hot


def cross_entropy(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    if is_one_hot(output, y):
        return tf.nn.softmax_cross_entropy_with_logits(tf.cast(y, output.dtype), output)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y, tf.int64), output)


def huber(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    distance = tf.abs(output - y)
    near = tf.minimum(distance, 1)
    return near * near / 2 + distance - near


LOSSES: dict[str, Callable[..., tf.Tensor]] = {
    "mse": lambda output, y: tf.square(output - y),
    "l1": lambda output, y: tf.abs(output - y),
    "huber": huber,
    "binary_cross_entropy": lambda output, y: tf.nn.sigmoid_cross_entropy_with_logits(y, output),
}
"""Of numbers, one for each."""


def weighted_loss(loss: Loss) -> Callable[..., tf.Tensor]:
    """See `Backend.weighted_loss`."""
    check_weighted(loss)

    def by_function(output: Any, y: Any, w: tf.Tensor) -> tf.Tensor:
        w = tf.cast(w, getattr(output, "dtype", w.dtype))
        return loss(*((output,) if y is None else (output, y)), sample_weight=w)

    def by_name(output: tf.Tensor, y: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
        if loss == "cross_entropy":
            losses = cross_entropy(output, y)
        else:
            check_alike(loss, output, y)
            losses = LOSSES[loss](output, y)
            losses = tf.reduce_mean(losses, axis=list(range(1, len(losses.shape))))
        check_lengths(losses, w)
        w = tf.cast(w, losses.dtype)
        total = tf.reduce_sum(w)
        return tf.reduce_sum(losses * w) / (total + tf.cast(total == 0, w.dtype))

    return by_function if callable(loss) else by_name
