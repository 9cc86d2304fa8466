"""The activations of this library that Keras has with the same meaning."""

from __future__ import annotations

from typing import Any

import keras

import unified_blocks as ub
from unified_blocks.layers.axes import Axis
from unified_blocks_tensorflow.policies import as_it_comes


def native(block: type[Any], layer: type[Any], *function: Any) -> Any:
    """The native class of an activation, which is `layer`, of `function`, by the name of `block`.

    A layer of Keras casts its input to its own dtype unless it is told not to.
    """

    class Native(block, layer):
        __qualname__ = block.__name__
        call = layer.call
        takes_any_layout = True

        def __init__(self):
            layer.__init__(self, *function, **as_it_comes())

    Native.__name__ = block.__name__
    return block.native("tensorflow")(Native)


ReLU = native(ub.ReLU, keras.layers.ReLU)
LeakyReLU = native(ub.LeakyReLU, keras.layers.Activation, ub.ops.leaky_relu)
ELU = native(ub.ELU, keras.layers.Activation, ub.ops.elu)
SELU = native(ub.SELU, keras.layers.Activation, ub.ops.selu)
SiLU = native(ub.SiLU, keras.layers.Activation, ub.ops.silu)
Sigmoid = native(ub.Sigmoid, keras.layers.Activation, ub.ops.sigmoid)
HardSigmoid = native(ub.HardSigmoid, keras.layers.Activation, ub.ops.hard_sigmoid)
Tanh = native(ub.Tanh, keras.layers.Activation, ub.ops.tanh)
Softplus = native(ub.Softplus, keras.layers.Activation, ub.ops.softplus)
Softsign = native(ub.Softsign, keras.layers.Activation, ub.ops.softsign)
ReLU6 = native(ub.ReLU6, keras.layers.Activation, keras.activations.relu6)
HardSwish = native(ub.HardSwish, keras.layers.Activation, keras.activations.hard_silu)
Mish = native(ub.Mish, keras.layers.Activation, keras.activations.mish)


@ub.Softmax.native("tensorflow")
class Softmax(ub.Softmax, keras.layers.Softmax):
    def __init__(self, axis=-1):
        along = Axis.of("Softmax", axis)
        keras.layers.Softmax.__init__(self, along.fixed, **as_it_comes())
        self.along = along

    def call(self, X, mask=None):
        if self.axis is None:
            return ub.ops.softmax(X, axis=self.axis_in(X))
        return super().call(X, mask=mask)


@ub.GELU.native("tensorflow")
class GELU(ub.GELU, keras.layers.Activation):
    call = keras.layers.Activation.call
    takes_any_layout = True

    def __init__(self, approximate=False):
        function = ub.ops.gelu_tanh if approximate else ub.ops.gelu
        keras.layers.Activation.__init__(self, function, **as_it_comes())


@ub.PReLU.native("tensorflow")
class PReLU(ub.PReLU, keras.layers.PReLU):
    takes_channels_last = True  # as Keras calls it: `bind` turns what a layer takes and gives

    def __init__(self, num_parameters=1, *, layout, dtype=None):
        start = keras.initializers.Constant(0.25)
        keras.layers.PReLU.__init__(self, alpha_initializer=start, dtype=dtype)
        self.num_parameters = num_parameters
        self.channels_last = layout == "channels_last"
        self.build(())

    def build(self, input_shape):
        # Not Keras' own, which has one for each number of a sample.
        self.alpha = self.add_weight(
            shape=(self.num_parameters,), name="alpha", initializer=self.alpha_initializer
        )
