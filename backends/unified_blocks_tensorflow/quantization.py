"""Blocks that Keras' `quantize` has turned into whole numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras


def check_own_call(layer: keras.layers.Layer, native: type[Any], wanted: bool) -> None:
    """Refuse a layer that has another call than its class `native`: Keras would not run it.

    Raises:
        NotImplementedError: which `Model.quantize` gives as a warning, as for a native subclass.
    """
    if wanted and type(layer).call is not native.call:
        raise layer._not_implemented_error(layer.quantize)


def is_quantized(layer: keras.layers.Layer) -> bool:
    return layer.dtype_policy.quantization_mode is not None


def quantization_of(layers: Iterable[keras.layers.Layer]) -> list[Any]:
    """How each of these layers is quantized, as Keras serialises it; None for one that is not."""
    return [
        {
            "policy": keras.dtype_policies.serialize(layer.dtype_policy),
            "config": keras.saving.serialize_keras_object(layer.quantization_config),
        }
        if is_quantized(layer)
        else None
        for layer in layers
    ]


def quantize_again(layer: keras.layers.Layer, how: dict[str, Any]) -> None:
    """Quantize a new layer as `quantization_of` says; its numbers are loaded later."""
    policy = keras.dtype_policies.deserialize(how["policy"])
    config = keras.saving.deserialize_keras_object(how["config"])
    if layer.built:
        layer.quantize(policy.quantization_mode, config=config)
    else:
        layer.quantization_config = config
        layer.dtype_policy = policy
