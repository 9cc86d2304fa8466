"""Losses of Keras on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from unified_blocks import ops
from unified_blocks.training.losses import check_alike, check_loss


def cross_entropy(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y, tf.int64), output)
    return tf.reduce_mean(losses)


def mse(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    check_alike("mse", output, y)
    return tf.reduce_mean(tf.square(output - y))


def l1(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    check_alike("l1", output, y)
    return tf.reduce_mean(tf.abs(output - y))


def huber(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    check_alike("huber", output, y)
    return ops.huber(output, y)


def binary_cross_entropy(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    check_alike("binary_cross_entropy", output, y)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=output)
    return tf.reduce_mean(losses)


LOSSES: dict[str, Callable[..., tf.Tensor]] = {
    "sum": tf.reduce_sum,
    "mean": tf.reduce_mean,
    "mse": mse,
    "cross_entropy": cross_entropy,
    "l1": l1,
    "huber": huber,
    "binary_cross_entropy": binary_cross_entropy,
}


def loss_function(loss: str | Callable[..., Any]) -> Callable[..., tf.Tensor]:
    return loss if callable(loss) else LOSSES[check_loss(loss)]
