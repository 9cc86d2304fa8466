"""Losses of TensorFlow of which each sample has a weight."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf

from unified_blocks.backend import Loss
from unified_blocks.training.losses import check_alike, check_lengths, check_weighted
from unified_blocks_tensorflow.learning import cross_entropies


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


def by_function(loss: Callable[..., Any], output: Any, y: Any, w: tf.Tensor) -> tf.Tensor:
    w = tf.cast(w, getattr(output, "dtype", w.dtype))
    return loss(*((output,) if y is None else (output, y)), sample_weight=w)


def by_name(loss: str, output: tf.Tensor, y: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
    if loss == "cross_entropy":
        losses = cross_entropies(output, y)
    else:
        check_alike(loss, output, y)
        losses = LOSSES[loss](output, y)
        losses = tf.reduce_mean(losses, axis=list(range(1, len(losses.shape))))
    check_lengths(losses, w)
    w = tf.cast(w, losses.dtype)
    total = tf.reduce_sum(w)
    return tf.reduce_sum(losses * w) / (total + tf.cast(total == 0, w.dtype))


def weighted_loss(loss: Loss) -> Callable[..., tf.Tensor]:
    """See `Backend.weighted_loss`."""
    check_weighted(loss)
    return partial(by_function, loss) if callable(loss) else partial(by_name, loss)
