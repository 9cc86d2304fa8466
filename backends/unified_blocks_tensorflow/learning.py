"""Losses of Keras on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import Parameter, signature
from typing import Any

import keras
import tensorflow as tf

from unified_blocks import ops
from unified_blocks.block import Block
from unified_blocks.training.data.batches import applied, check_names
from unified_blocks.training.losses import check_alike, check_loss, is_one_hot


def cross_entropies(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """The cross-entropy of each sample."""
    if is_one_hot(output, y):  # the gradient of TensorFlow's own is for rows whose sum is 1
        return -tf.reduce_sum(tf.cast(y, output.dtype) * tf.nn.log_softmax(output), axis=-1)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y, tf.int64), output)


def cross_entropy(output: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(cross_entropies(output, y))


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


def called(net: Any, x: Any, training: bool) -> Any:
    """The output of `net` for inputs: of one tensor, or of several, as `net` takes them.

    That is each as an argument, `net(*x)` or `net(**x)`; for a Functional model, and for one whose
    `call` has a single argument for inputs, all at once.
    """
    if isinstance(x, (tuple, list, dict)) and takes_all_at_once(net):
        return net(list(x) if isinstance(x, tuple) and is_functional(net) else x, training=training)
    if isinstance(x, dict) and isinstance(net, Block):
        forward: Any = net  # a Keras model and a block
        check_names(net, forward.forward, x)
    return applied(net, x, training=training)


def is_functional(net: Any) -> bool:
    return isinstance(net, keras.Model) and hasattr(net, "operations")


def takes_all_at_once(net: Any) -> bool:
    return is_functional(net) or has_one_argument(net.__class__)


@cache
def has_one_argument(cls: type[Any]) -> bool:
    """Whether models of this class have a single argument, for whatever their inputs are."""
    if issubclass(cls, Block):  # each input is an argument of its `forward`
        return False
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.VAR_POSITIONAL)
    inputs = [
        p.kind
        for name, p in signature(cls.call).parameters.items()
        if p.kind in kinds and name not in ("self", "training", "mask")
    ]
    return len(inputs) == 1 and inputs[0] is not Parameter.VAR_POSITIONAL


def loss_function(loss: str | Callable[..., Any]) -> Callable[..., tf.Tensor]:
    return loss if callable(loss) else LOSSES[check_loss(loss)]
