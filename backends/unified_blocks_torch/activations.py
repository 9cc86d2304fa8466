"""The activations of this library that PyTorch has with the same meaning."""

from __future__ import annotations

from inspect import signature
from typing import Any

from torch import nn

import unified_blocks as ub


def native(block: type[Any], module: type[Any]) -> Any:
    """The native class of an activation, which is `module` by the name of `block`."""

    class Native(block, module):
        __qualname__ = block.__name__
        forward: Any = module.forward

        if "axis" in signature(block).parameters:

            def __init__(self, axis=-1):
                module.__init__(self, axis)
                self.axis = axis

        else:

            def __init__(self):  # type: ignore[misc]  # mypy would have one signature
                module.__init__(self)

    Native.__name__ = block.__name__
    return block.native("torch")(Native)


ReLU = native(ub.ReLU, nn.ReLU)
LeakyReLU = native(ub.LeakyReLU, nn.LeakyReLU)
ELU = native(ub.ELU, nn.ELU)
SELU = native(ub.SELU, nn.SELU)
GELU = native(ub.GELU, nn.GELU)
SiLU = native(ub.SiLU, nn.SiLU)
Sigmoid = native(ub.Sigmoid, nn.Sigmoid)
Tanh = native(ub.Tanh, nn.Tanh)
Softsign = native(ub.Softsign, nn.Softsign)
Softmax = native(ub.Softmax, nn.Softmax)
LogSoftmax = native(ub.LogSoftmax, nn.LogSoftmax)
