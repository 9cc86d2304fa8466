"""The activations of this library that Gluon has with the same meaning."""

from __future__ import annotations

from typing import Any

import unified_blocks as ub
from unified_blocks_mxnet.compat import nn


def native(block: type[Any]) -> Any:
    """The native class of an activation, which is Gluon's own by the name of `block`."""

    class Native(block, nn.Activation):
        __qualname__ = block.__name__
        hybrid_forward = nn.Activation.hybrid_forward

        def __init__(self):
            nn.Activation.__init__(self, block.operation)

    Native.__name__ = block.__name__
    return block.native("mxnet")(Native)


ReLU = native(ub.ReLU)
Sigmoid = native(ub.Sigmoid)
Tanh = native(ub.Tanh)
Softsign = native(ub.Softsign)
