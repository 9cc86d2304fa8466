"""The activations of this library that PyTorch has with the same meaning."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

import unified_blocks as ub
from unified_blocks.layers.axes import Axis
from unified_blocks_torch.images import in_layout


def native(block: type[Any], module: type[Any]) -> Any:
    """The native class of an activation, which is `module` by the name of `block`."""

    class Native(block, module):
        __qualname__ = block.__name__
        forward: Any = module.forward

        def __init__(self):
            module.__init__(self)

    Native.__name__ = block.__name__
    return block.native("torch")(Native)


def along_axis(block: type[Any], module: type[Any], compute: Any) -> Any:
    """The same, for one along an axis."""

    class Native(block, module):
        __qualname__ = block.__name__

        def __init__(self, axis=-1):
            along = Axis.of(block.__name__, axis)
            module.__init__(self, along.fixed)
            self.along = along

        def forward(self, X):
            return compute(X, self.axis_in(X) if self.dim is None else self.dim)

    Native.__name__ = block.__name__
    return block.native("torch")(Native)


ReLU = native(ub.ReLU, nn.ReLU)
LeakyReLU = native(ub.LeakyReLU, nn.LeakyReLU)
ELU = native(ub.ELU, nn.ELU)
SELU = native(ub.SELU, nn.SELU)
SiLU = native(ub.SiLU, nn.SiLU)
Sigmoid = native(ub.Sigmoid, nn.Sigmoid)
Tanh = native(ub.Tanh, nn.Tanh)
Softsign = native(ub.Softsign, nn.Softsign)
ReLU6 = native(ub.ReLU6, nn.ReLU6)
HardSwish = native(ub.HardSwish, nn.Hardswish)
Mish = native(ub.Mish, nn.Mish)
Softmax = along_axis(ub.Softmax, nn.Softmax, torch.softmax)
LogSoftmax = along_axis(ub.LogSoftmax, nn.LogSoftmax, torch.log_softmax)


@ub.GELU.native("torch")
class GELU(ub.GELU, nn.GELU):  # type: ignore[misc]  # its `approximate` is a word
    forward: Any = nn.GELU.forward

    def __init__(self, approximate=False):
        nn.GELU.__init__(self, "tanh" if approximate else "none")


@ub.PReLU.native("torch")
class PReLU(ub.PReLU, nn.PReLU):
    def __init__(self, num_parameters=1, *, layout, dtype=None):
        nn.PReLU.__init__(self, num_parameters, dtype=dtype)
        self.channels_last = layout == "channels_last"

    forward: Any = in_layout(nn.PReLU.forward)
