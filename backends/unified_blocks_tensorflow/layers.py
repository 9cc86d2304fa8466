"""The layers of this library as Keras layers, and the `Dense` that the blocks use."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

import unified_blocks as ub
from unified_blocks import ops
from unified_blocks.block.rules import ACTIVATIONS as NAMES
from unified_blocks.layers.dropout import in_last
from unified_blocks_tensorflow.images import to_first
from unified_blocks_tensorflow.policies import as_it_comes
from unified_blocks_tensorflow.quantization import check_own_call

OWN = (
    *("relu", "elu", "silu", "sigmoid", "hard_sigmoid", "tanh", "softplus", "softsign"),
    *("relu6", "hard_swish", "mish"),
)
"""The activations that Keras has with the same name and meaning."""
ACTIVATIONS: dict[str | None, Any] = {None: None}
ACTIVATIONS |= {name: name if name in OWN else getattr(ops, name) for name in NAMES}
"""What Keras takes for each: the name of its own, or the function of `ub.ops`."""


def dense(units, *, in_units=None, activation=None, dtype):
    """`keras.layers.Dense`, built at once when the width of the input is given."""
    layer = keras.layers.Dense(units, activation=ACTIVATIONS[activation], dtype=dtype)
    if in_units is not None:
        layer.build((None, in_units))
    return layer


@ub.Dense.native("tensorflow")
class Dense(ub.Dense, keras.layers.Dense):
    def __init__(self, units, *, in_units=None, activation=None, use_bias=True, dtype=None):
        keras.layers.Dense.__init__(
            self, units, activation=ACTIVATIONS[activation], use_bias=use_bias, dtype=dtype
        )
        if in_units is not None:
            self.build((None, in_units))

    def quantize(self, mode=None, type_check=True, config=None):
        check_own_call(self, Dense, type_check)
        super().quantize(mode, type_check=False, config=config)


@ub.Dropout.native("tensorflow")
class Dropout(ub.Dropout, keras.layers.Dropout):
    takes_any_layout = True

    def __init__(self, rate, axes=(), *, layout):
        keras.layers.Dropout.__init__(self, rate, **as_it_comes())
        self.takes_any_layout = not axes
        self.axes = in_last(axes) if layout == "channels_last" else tuple(axes)

    def call(self, X, training=False):
        if not self.axes or not training or not self.rate:
            return super().call(X, training=training)
        together = {range(len(X.shape))[axis] for axis in self.axes}
        sizes = [1 if axis in together else None for axis in range(len(X.shape))]
        return keras.random.dropout(X, self.rate, sizes, self.seed_generator)


@ub.Flatten.native("tensorflow")
class Flatten(ub.Flatten, keras.layers.Flatten):
    def __init__(self, *, layout):
        keras.layers.Flatten.__init__(self, **as_it_comes())
        self.channels_last = layout == "channels_last"

    def call(self, X):
        last = self.channels_last and len(X.shape) > 2
        return super().call(to_first(X) if last else X)


@ub.Embedding.native("tensorflow")
class Embedding(ub.Embedding, keras.layers.Embedding):
    def __init__(self, input_dim, output_dim, *, dtype=None):
        keras.layers.Embedding.__init__(self, input_dim, output_dim, dtype=dtype, autocast=False)

    def call(self, X):
        if tf.as_dtype(X.dtype).is_floating:
            raise self.not_whole(X.dtype)
        X = tf.cast(X, tf.int64)
        inside = (X >= 0) & (self.input_dim > X)
        rows = tf.gather(tf.convert_to_tensor(self.embeddings), tf.where(inside, X, 0))
        return tf.cast(tf.where(inside[..., None], rows, np.nan), self.compute_dtype)

    def quantized_call(self, X):
        if tf.as_dtype(X.dtype).is_floating:
            raise self.not_whole(X.dtype)
        inside = (X >= 0) & (self.input_dim > X)
        rows = super().quantized_call(tf.where(inside, X, 0))
        return tf.where(inside[..., None], rows, np.nan)

    def quantize(self, mode=None, type_check=True, config=None):
        check_own_call(self, Embedding, type_check)
        super().quantize(mode, type_check=False, config=config)
