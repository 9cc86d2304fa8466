"""How layers of images take and give channels after the batch: Keras' have them at the end.

TensorFlow on a CPU computes nothing else, so the axes are turned before and after.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def to_last(x: Any) -> Any:
    """`(n, c, *space)` as `(n, *space, c)`."""
    return turned(x, (0, *range(2, len(x.shape)), 1))


def to_first(x: Any) -> Any:
    """`(n, *space, c)` as `(n, c, *space)`."""
    rank = len(x.shape)
    return turned(x, (0, rank - 1, *range(1, rank - 1)))


def turned(x: Any, axes: tuple[int, ...]) -> Any:
    if isinstance(x, keras.KerasTensor):
        return keras.ops.transpose(x, axes)
    return tf.transpose(x, axes)


def in_layout(call: Callable[..., Any]) -> Callable[..., Any]:
    """The `__call__` of a layer that computes with channels at the end, in its layout."""

    def in_its_layout(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        if self.channels_last or isinstance(X, tuple | list | dict):
            return call(self, X, *args, **kwargs)
        return to_first(call(self, to_last(X), *args, **kwargs))

    return in_its_layout
