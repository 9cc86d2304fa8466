"""The activations of this library that PyTorch has with the same meaning."""

from __future__ import annotations

from typing import Any

from torch import nn

import unified_blocks as ub


@ub.ReLU.native("torch")
class ReLU(ub.ReLU, nn.ReLU):
    forward: Any = nn.ReLU.forward

    def __init__(self):
        nn.ReLU.__init__(self)


@ub.LeakyReLU.native("torch")
class LeakyReLU(ub.LeakyReLU, nn.LeakyReLU):
    forward: Any = nn.LeakyReLU.forward

    def __init__(self):
        nn.LeakyReLU.__init__(self)


@ub.ELU.native("torch")
class ELU(ub.ELU, nn.ELU):
    forward: Any = nn.ELU.forward

    def __init__(self):
        nn.ELU.__init__(self)


@ub.SELU.native("torch")
class SELU(ub.SELU, nn.SELU):
    forward: Any = nn.SELU.forward

    def __init__(self):
        nn.SELU.__init__(self)


@ub.GELU.native("torch")
class GELU(ub.GELU, nn.GELU):
    forward: Any = nn.GELU.forward

    def __init__(self):
        nn.GELU.__init__(self)


@ub.SiLU.native("torch")
class SiLU(ub.SiLU, nn.SiLU):
    forward: Any = nn.SiLU.forward

    def __init__(self):
        nn.SiLU.__init__(self)


@ub.Sigmoid.native("torch")
class Sigmoid(ub.Sigmoid, nn.Sigmoid):
    forward: Any = nn.Sigmoid.forward

    def __init__(self):
        nn.Sigmoid.__init__(self)


@ub.Tanh.native("torch")
class Tanh(ub.Tanh, nn.Tanh):
    forward: Any = nn.Tanh.forward

    def __init__(self):
        nn.Tanh.__init__(self)


@ub.Softsign.native("torch")
class Softsign(ub.Softsign, nn.Softsign):
    forward: Any = nn.Softsign.forward

    def __init__(self):
        nn.Softsign.__init__(self)


@ub.Softmax.native("torch")
class Softmax(ub.Softmax, nn.Softmax):
    forward: Any = nn.Softmax.forward

    def __init__(self, axis=-1):
        nn.Softmax.__init__(self, axis)
        self.axis = axis


@ub.LogSoftmax.native("torch")
class LogSoftmax(ub.LogSoftmax, nn.LogSoftmax):
    forward: Any = nn.LogSoftmax.forward

    def __init__(self, axis=-1):
        nn.LogSoftmax.__init__(self, axis)
        self.axis = axis
