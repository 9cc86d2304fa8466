"""Keras' dtype policies: what a layer computes in, and what its variables are."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from unified_blocks.dtypes import FLOAT_DTYPES, MIXED_DTYPES, default_dtype
from unified_blocks.errors import UnsupportedError

HALF = (tf.bfloat16, tf.float16)


def global_policy() -> str:
    """The name of Keras' own policy, which its layers get unless they are given one.

    Raises:
        UnsupportedError: when it is not one of floating-point numbers.
    """
    name: str = keras.config.dtype_policy().name
    if name not in (*FLOAT_DTYPES, *MIXED_DTYPES):
        raise UnsupportedError(
            f"on TensorFlow Keras' policy for new blocks must be one of "
            f"{', '.join((*FLOAT_DTYPES, *MIXED_DTYPES))}; got {name!r}: make the block without "
            'it, and then net.quantize("int8")'
        )
    return name


def as_it_comes() -> dict[str, Any]:
    """How Keras is to make a layer that has no numbers of its own.

    What passes through it is not rounded, but for a mixed policy, where all layers compute in half.
    """
    dtype = default_dtype()
    return {"dtype": dtype, "autocast": dtype in MIXED_DTYPES}


def is_mixed(layer: keras.layers.Layer) -> bool:
    """Whether a layer computes in another dtype than that of its variables."""
    return bool(layer.compute_dtype != layer.variable_dtype)


def widened(output: Any) -> Any:
    """What a model that computes in half gives, for a loss: Keras' own take float32, too."""
    return tf.nest.map_structure(
        lambda y: tf.cast(y, tf.float32) if tf.is_tensor(y) and y.dtype in HALF else y, output
    )
