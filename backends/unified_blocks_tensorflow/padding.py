"""The layers that pad, as Keras layers."""

from __future__ import annotations

import keras
import tensorflow as tf

import unified_blocks as ub
from unified_blocks.layers.geometry import pads_in_numbers
from unified_blocks.types import Mixin
from unified_blocks_tensorflow.policies import as_it_comes


class Zeros(Mixin):
    """What these layers have of Keras'. They take channels at the end."""

    takes_channels_last = True

    def __init__(self, padding, *, layout):
        self.channels_last = layout == "channels_last"
        pads = pads_in_numbers("", padding, self.rank)
        given = pads[0] if self.rank == 1 else pads
        self.own.__init__(self, given, data_format="channels_last", **as_it_comes())


class Reflection(Mixin):
    """Keras has no such layer, and TensorFlow the operation."""

    takes_channels_last = True

    def __init__(self, padding, *, layout):
        keras.layers.Layer.__init__(self, **as_it_comes())
        self.channels_last = layout == "channels_last"
        self.pads = ((0, 0), *pads_in_numbers("", padding, self.rank), (0, 0))

    def call(self, X):
        return tf.pad(X, self.pads, "REFLECT")


@ub.ZeroPad1D.native("tensorflow")
class ZeroPad1D(ub.ZeroPad1D, Zeros, keras.layers.ZeroPadding1D):
    own = keras.layers.ZeroPadding1D


@ub.ZeroPad2D.native("tensorflow")
class ZeroPad2D(ub.ZeroPad2D, Zeros, keras.layers.ZeroPadding2D):
    own = keras.layers.ZeroPadding2D


@ub.ZeroPad3D.native("tensorflow")
class ZeroPad3D(ub.ZeroPad3D, Zeros, keras.layers.ZeroPadding3D):
    own = keras.layers.ZeroPadding3D


@ub.ReflectPad1D.native("tensorflow")
class ReflectPad1D(ub.ReflectPad1D, Reflection, keras.layers.Layer): ...


@ub.ReflectPad2D.native("tensorflow")
class ReflectPad2D(ub.ReflectPad2D, Reflection, keras.layers.Layer): ...


@ub.ReflectPad3D.native("tensorflow")
class ReflectPad3D(ub.ReflectPad3D, Reflection, keras.layers.Layer): ...
