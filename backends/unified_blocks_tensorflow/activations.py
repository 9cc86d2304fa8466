"""The activations of this library that Keras has with the same meaning."""

from __future__ import annotations

import keras

import unified_blocks as ub

# A layer of Keras casts its input to its own dtype unless it is told not to.


@ub.ReLU.native("tensorflow")
class ReLU(ub.ReLU, keras.layers.ReLU):
    call = keras.layers.ReLU.call

    def __init__(self):
        keras.layers.ReLU.__init__(self, autocast=False)


@ub.Softmax.native("tensorflow")
class Softmax(ub.Softmax, keras.layers.Softmax):
    call = keras.layers.Softmax.call

    def __init__(self, axis=-1):
        keras.layers.Softmax.__init__(self, axis, autocast=False)


@ub.LeakyReLU.native("tensorflow")
class LeakyReLU(ub.LeakyReLU, keras.layers.Activation):
    call = keras.layers.Activation.call

    def __init__(self):
        keras.layers.Activation.__init__(self, ub.ops.leaky_relu, autocast=False)


@ub.ELU.native("tensorflow")
class ELU(ub.ELU, keras.layers.Activation):
    call = keras.layers.Activation.call

    def __init__(self):
        keras.layers.Activation.__init__(self, ub.ops.elu, autocast=False)


@ub.SELU.native("tensorflow")
class SELU(ub.SELU, keras.layers.Activation):
    call = keras.layers.Activation.call

    def __init__(self):
        keras.layers.Activation.__init__(self, ub.ops.selu, autocast=False)


@ub.GELU.native("tensorflow")
class GELU(ub.GELU, keras.layers.Activation):
    call = keras.layers.Activation.call

    def __init__(self):
        keras.layers.Activation.__init__(self, ub.ops.gelu, autocast=False)


@ub.SiLU.native("tensorflow")
class SiLU(ub.SiLU, keras.layers.Activation):
    call = keras.layers.Activation.call

    def __init__(self):
        keras.layers.Activation.__init__(self, ub.ops.silu, autocast=False)


@ub.Sigmoid.native("tensorflow")
class Sigmoid(ub.Sigmoid, keras.layers.Activation):
    call = keras.layers.Activation.call

    def __init__(self):
        keras.layers.Activation.__init__(self, ub.ops.sigmoid, autocast=False)


@ub.HardSigmoid.native("tensorflow")
class HardSigmoid(ub.HardSigmoid, keras.layers.Activation):
    call = keras.layers.Activation.call

    def __init__(self):
        keras.layers.Activation.__init__(self, ub.ops.hard_sigmoid, autocast=False)


@ub.Tanh.native("tensorflow")
class Tanh(ub.Tanh, keras.layers.Activation):
    call = keras.layers.Activation.call

    def __init__(self):
        keras.layers.Activation.__init__(self, ub.ops.tanh, autocast=False)


@ub.Softplus.native("tensorflow")
class Softplus(ub.Softplus, keras.layers.Activation):
    call = keras.layers.Activation.call

    def __init__(self):
        keras.layers.Activation.__init__(self, ub.ops.softplus, autocast=False)


@ub.Softsign.native("tensorflow")
class Softsign(ub.Softsign, keras.layers.Activation):
    call = keras.layers.Activation.call

    def __init__(self):
        keras.layers.Activation.__init__(self, ub.ops.softsign, autocast=False)
