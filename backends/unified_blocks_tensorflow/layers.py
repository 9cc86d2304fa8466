"""The layers of this library as Keras layers, and the `Dense` that the blocks use."""

from __future__ import annotations

import keras

import unified_blocks as ub


def dense(in_units: int | None, units: int, **options) -> keras.layers.Dense:
    """`keras.layers.Dense`, built at once when the width of the input is given."""
    layer = keras.layers.Dense(units, **options)
    if in_units is not None:
        layer.build((None, in_units))
    return layer


@ub.Dense.native("tensorflow")
class Dense(ub.Dense, keras.layers.Dense):
    def __init__(self, units, *, in_units=None, activation=None, use_bias=True, dtype=None):
        super().__init__(units, activation=activation, use_bias=use_bias, dtype=dtype)
        if in_units is not None:
            self.build((None, in_units))


@ub.ReLU.native("tensorflow")
class ReLU(ub.ReLU, keras.layers.ReLU):
    def __init__(self):
        keras.layers.ReLU.__init__(self, autocast=False)
