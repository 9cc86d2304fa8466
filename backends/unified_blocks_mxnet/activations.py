"""The activations of this library that Gluon has with the same meaning."""

from __future__ import annotations

from typing import Any

import numpy as np

import unified_blocks as ub
from unified_blocks_mxnet.compat import mx, nn


def native(block: type[Any]) -> Any:
    """The native class of an activation, which is Gluon's own by the name of `block`."""

    class Native(block, nn.Activation):
        __qualname__ = block.__name__

        def __init__(self):
            nn.Activation.__init__(self, block.operation)

        def hybrid_forward(self, F, X):
            if F is mx.nd and np.dtype(X.dtype).kind != "f":
                return block.forward(self, X)  # Gluon's own takes no whole numbers
            return nn.Activation.hybrid_forward(self, F, X)

    Native.__name__ = block.__name__
    return block.native("mxnet")(Native)


ReLU = native(ub.ReLU)
Sigmoid = native(ub.Sigmoid)
Tanh = native(ub.Tanh)
Softsign = native(ub.Softsign)


@ub.PReLU.native("mxnet")
class PReLU(ub.PReLU, nn.PReLU):
    def __init__(self, num_parameters=1, *, layout, dtype=None):
        nn.PReLU.__init__(self, in_channels=num_parameters)
        self.one, self.channels_last = num_parameters == 1, layout == "channels_last"
        self.cast(dtype)

    def hybrid_forward(self, F, X, alpha):
        if np.dtype(self.alpha.dtype) == np.float32 and (self.one or not self.channels_last):
            return super().hybrid_forward(F, X, alpha)  # Gluon's own computes in no other
        if self.one or self.channels_last:
            return F.np.where(F.np.greater(X, 0), X, alpha * X)
        joined = F.npx.reshape(X, (-2, -2, -1))  # (n, c, space)
        below = F.npx.reshape_like(F.np.expand_dims(alpha, -1) * joined, X)
        return F.np.where(F.np.greater(X, 0), X, below)
