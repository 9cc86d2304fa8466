"""The activations of this library that Gluon has with the same meaning."""

from __future__ import annotations

import unified_blocks as ub
from unified_blocks_mxnet.compat import nn


@ub.ReLU.native("mxnet")
class ReLU(ub.ReLU, nn.Activation):
    hybrid_forward = nn.Activation.hybrid_forward

    def __init__(self):
        nn.Activation.__init__(self, "relu")


@ub.Sigmoid.native("mxnet")
class Sigmoid(ub.Sigmoid, nn.Activation):
    hybrid_forward = nn.Activation.hybrid_forward

    def __init__(self):
        nn.Activation.__init__(self, "sigmoid")


@ub.Tanh.native("mxnet")
class Tanh(ub.Tanh, nn.Activation):
    hybrid_forward = nn.Activation.hybrid_forward

    def __init__(self):
        nn.Activation.__init__(self, "tanh")


@ub.Softsign.native("mxnet")
class Softsign(ub.Softsign, nn.Activation):
    hybrid_forward = nn.Activation.hybrid_forward

    def __init__(self):
        nn.Activation.__init__(self, "softsign")
