"""The layers of this library as Gluon blocks."""

from __future__ import annotations

import unified_blocks as ub
from unified_blocks_mxnet.compat import mx


class Dense(ub.Dense, mx.gluon.nn.Dense):
    def __init__(self, units, *, in_units=None, activation=None, use_bias=True, dtype=None):
        super().__init__(
            units,
            activation=activation,
            use_bias=use_bias,
            flatten=False,
            dtype=dtype,
            in_units=in_units or 0,
        )


class ReLU(ub.ReLU, mx.gluon.nn.Activation):
    def __init__(self):
        super().__init__("relu")
