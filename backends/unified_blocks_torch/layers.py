"""The layers of this library as PyTorch modules, and the `nn.Linear` that the blocks use."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.functional import dropout
from torch.nn.functional import linear as affine

import unified_blocks as ub
from unified_blocks import ops
from unified_blocks.block.rules import ACTIVATIONS as NAMES
from unified_blocks.layers.dropout import in_last
from unified_blocks_torch import neural_ops as own
from unified_blocks_torch.quantization import OWN as OWN_CLASSES

OWN = (
    *("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "sigmoid", "tanh", "softsign"),
    *("relu6", "hard_swish", "mish", "gelu_tanh"),
)
"""The activations that PyTorch has with the same name and meaning."""
ACTIVATIONS: dict[str | None, Any] = {None: None}
ACTIVATIONS |= {name: getattr(own if name in OWN else ops, name) for name in NAMES}
"""What computes each: PyTorch's own function, or that of `ub.ops`."""
OF_ITS_OWN = {**ACTIVATIONS, "relu": torch.relu_}
"""What computes each on a tensor that nobody else has: one tensor less goes through memory."""


def weight_and_bias(layer: nn.Module) -> tuple[Any, Any]:
    """`layer.weight, layer.bias`, in a third of the time where both are its parameters.

    A weight that is computed, as by `weight_norm`, is not.
    """
    held = layer._parameters
    if "weight" in held and "bias" in held:
        return held["weight"], held["bias"]
    return layer.weight, layer.bias


def dense(units, *, in_units=None, dtype):
    """`nn.Linear`, or `nn.LazyLinear` when the width of the input is left out.

    What calls it applies the activation.
    """
    if in_units is None:
        return nn.LazyLinear(units, dtype=dtype)
    return nn.Linear(in_units, units, dtype=dtype)


@ub.Dense.native("torch")
class Dense(ub.Dense, nn.LazyLinear):
    # Stay a Dense after the first call, activation and all.
    cls_to_become = None  # type: ignore[assignment]

    def __init__(self, units, *, in_units=None, activation=None, use_bias=True, dtype=None):
        # First of all: so it lies beside what each call of a module reads.
        self.activation = OF_ITS_OWN[activation]
        if in_units is None:
            nn.LazyLinear.__init__(self, units, bias=use_bias, dtype=dtype)
        else:
            nn.Linear.__init__(self, in_units, units, bias=use_bias, dtype=dtype)

    def forward(self, X):
        weight, bias = weight_and_bias(self)
        Y = affine(X, weight, bias)  # (*, units)
        return Y if self.activation is None else self.activation(Y)


@ub.Dropout.native("torch")
class Dropout(ub.Dropout, nn.Dropout):
    def __init__(self, rate, axes=(), *, layout):
        nn.Dropout.__init__(self, rate)
        self.axes = in_last(axes) if layout == "channels_last" else tuple(axes)

    def forward(self, X):
        if not self.axes or not self.training:
            return dropout(X, self.p, self.training, self.inplace)
        together = {range(X.dim())[axis] for axis in self.axes}
        sizes = [1 if axis in together else size for axis, size in enumerate(X.shape)]
        return X * dropout(X.new_ones(sizes), self.p)


@ub.Flatten.native("torch")
class Flatten(ub.Flatten, nn.Flatten):
    def __init__(self, *, layout):
        nn.Flatten.__init__(self)
        self.channels_last = layout == "channels_last"

    def forward(self, X):
        if self.channels_last:
            X = torch.movedim(X, -1, 1)
        return X.flatten(self.start_dim, self.end_dim)


@ub.Embedding.native("torch")
class Embedding(ub.Embedding, nn.Embedding):
    def __init__(self, input_dim, output_dim, *, dtype=None):
        nn.Embedding.__init__(self, input_dim, output_dim, dtype=dtype)

    def forward(self, X):
        if X.is_floating_point():
            raise self.not_whole(X.dtype)
        return nn.Embedding.forward(self, X)


OWN_CLASSES.update({Dense: nn.Linear, Embedding: nn.Embedding})
