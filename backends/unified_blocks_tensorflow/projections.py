"""`keras.layers.EinsumDense` where it is a dense layer of several axes, and Keras' attention."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

ATTENTION = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)
PARTS = {
    "query": "_query_dense",
    "key": "_key_dense",
    "value": "_value_dense",
    "gate": "_gate_dense",
    "out": "_output_dense",
    "softmax": "_softmax",
    "drop": "_dropout_layer",
}
"""The layers inside Keras' attention: their canonical names, and the attributes that hold them."""


def parts_of(attention: Any) -> list[tuple[str, Any]]:
    """The layers inside Keras' attention that exist."""
    found = ((name, getattr(attention, held, None)) for name, held in PARTS.items())
    return [(name, layer) for name, layer in found if isinstance(layer, keras.layers.Layer)]


@dataclass(frozen=True)
class Projection:
    """A kernel of several axes of input and output as `(out, in)`.

    Attributes:
        order: of Keras' axes: those of the output, then those of the input.
        outputs: how many are of the output.
    """

    order: tuple[int, ...]
    outputs: int

    def shape(self, native):
        sizes = [native[axis] for axis in self.order]
        return (math.prod(sizes[: self.outputs]), math.prod(sizes[self.outputs :]))

    def to_canonical(self, array):
        return tf.reshape(tf.transpose(array, self.order), self.shape(tuple(array.shape)))

    def to_native(self, array, native):
        apart = tf.reshape(array, [native[axis] for axis in self.order])
        return tf.transpose(apart, np.argsort(self.order))


class Flat:
    """A bias of several axes as one."""

    def shape(self, native):
        return (math.prod(native),)

    def to_canonical(self, array):
        return tf.reshape(array, (-1,))

    def to_native(self, array, native):
        return tf.reshape(array, native)


def projection_of(layer: Any) -> Projection | None:
    """How the kernel of an `EinsumDense` is laid out; None of one that is no dense layer.

    It is one when the last axes of its input become the last ones of its output.
    """
    found = re.fullmatch(r"([a-zA-Z]*),([a-zA-Z]+)->([a-zA-Z]*)", layer.equation.replace("...", ""))
    if found is None:
        return None
    given, kernel, made = found.groups()
    inputs = "".join(axis for axis in given if axis not in made)
    outputs = "".join(axis for axis in made if axis not in given)
    dense = (
        given.endswith(inputs)
        and made.endswith(outputs)
        and given.removesuffix(inputs) == made.removesuffix(outputs)
        and sorted(kernel) == sorted(inputs + outputs)
        and len(kernel) == len(set(kernel))
        and (not layer.bias_axes or layer.bias_axes == outputs)
    )
    return Projection(tuple(map(kernel.index, outputs + inputs)), len(outputs)) if dense else None
