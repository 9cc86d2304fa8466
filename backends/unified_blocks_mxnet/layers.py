"""The layers of this library as Gluon blocks."""

from __future__ import annotations

import unified_blocks as ub
from unified_blocks_mxnet.compat import nn


@ub.Dense.native("mxnet")
class Dense(ub.Dense, nn.Dense):
    def __init__(self, units, *, in_units=None, activation=None, use_bias=True, dtype=None):
        nn.Dense.__init__(
            self,
            units,
            activation=activation,
            use_bias=use_bias,
            flatten=False,
            dtype=dtype,
            in_units=in_units or 0,
        )


@ub.ReLU.native("mxnet")
class ReLU(ub.ReLU, nn.Activation):
    def __init__(self):
        nn.Activation.__init__(self, "relu")
