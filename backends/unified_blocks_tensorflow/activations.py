"""The activations of this library that Keras has with the same meaning."""

from __future__ import annotations

from inspect import signature
from typing import Any

import keras

import unified_blocks as ub
from unified_blocks_tensorflow.policies import as_it_comes


def native(block: type[Any], layer: type[Any], *function: Any) -> Any:
    """The native class of an activation, which is `layer`, of `function`, by the name of `block`.

    A layer of Keras casts its input to its own dtype unless it is told not to.
    """

    class Native(block, layer):
        __qualname__ = block.__name__
        call = layer.call
        takes_any_layout = "axis" not in signature(block).parameters

        if "axis" in signature(block).parameters:

            def __init__(self, axis=-1):
                layer.__init__(self, axis, **as_it_comes())

        else:

            def __init__(self):  # type: ignore[misc]  # mypy would have one signature
                layer.__init__(self, *function, **as_it_comes())

    Native.__name__ = block.__name__
    return block.native("tensorflow")(Native)


ReLU = native(ub.ReLU, keras.layers.ReLU)
LeakyReLU = native(ub.LeakyReLU, keras.layers.Activation, ub.ops.leaky_relu)
ELU = native(ub.ELU, keras.layers.Activation, ub.ops.elu)
SELU = native(ub.SELU, keras.layers.Activation, ub.ops.selu)
GELU = native(ub.GELU, keras.layers.Activation, ub.ops.gelu)
SiLU = native(ub.SiLU, keras.layers.Activation, ub.ops.silu)
Sigmoid = native(ub.Sigmoid, keras.layers.Activation, ub.ops.sigmoid)
HardSigmoid = native(ub.HardSigmoid, keras.layers.Activation, ub.ops.hard_sigmoid)
Tanh = native(ub.Tanh, keras.layers.Activation, ub.ops.tanh)
Softplus = native(ub.Softplus, keras.layers.Activation, ub.ops.softplus)
Softsign = native(ub.Softsign, keras.layers.Activation, ub.ops.softsign)
Softmax = native(ub.Softmax, keras.layers.Softmax)
