"""The layers of this library as Gluon blocks, and the `nn.Dense` that the blocks use."""

from __future__ import annotations

from typing import Any

import numpy as np

import unified_blocks as ub
from unified_blocks import ops
from unified_blocks.block.rules import ACTIVATIONS as NAMES
from unified_blocks.layers.dropout import in_last
from unified_blocks_mxnet.compat import mx, nn

OWN = ("relu", "sigmoid", "tanh", "softsign")
"""The activations that Gluon has with the same name and meaning."""


class Operation:
    """An activation in the place where a layer has a block for it, which would cost a call more."""

    def __init__(self, name: str) -> None:
        self.name, self.compute = name, getattr(ops, name)

    def __call__(self, X):
        return self.compute(X)

    def __repr__(self) -> str:
        return f"Activation({self.name})"


ACTIVATIONS: dict[str | None, Any] = {None: None}
ACTIVATIONS |= {name: name if name in OWN else Operation(name) for name in NAMES}
"""What Gluon takes for each: the name of its own, or what stands in the place of its block."""


def dense(units, *, in_units=None, activation=None, dtype):
    """`nn.Dense` on the last axis, with any activation."""
    layer = nn.Dense(
        units,
        activation=activation if activation in OWN else None,
        flatten=False,
        dtype=dtype,
        in_units=in_units or 0,
    )
    return activated(layer, activation)


def activated(layer: nn.Dense, activation: str | None) -> nn.Dense:
    """`layer`, with an activation that Gluon does not have."""
    if activation not in (None, *OWN):
        layer.act = ACTIVATIONS[activation]
    return layer


@ub.Dense.native("mxnet")
class Dense(ub.Dense, nn.Dense):
    def __init__(self, units, *, in_units=None, activation=None, use_bias=True, dtype=None):
        nn.Dense.__init__(
            self,
            units,
            activation=activation if activation in OWN else None,
            use_bias=use_bias,
            flatten=False,
            dtype=dtype,
            in_units=in_units or 0,
        )
        activated(self, activation)


@ub.Dropout.native("mxnet")
class Dropout(ub.Dropout, nn.Dropout):
    def __init__(self, rate, axes=(), *, layout):
        last = layout == "channels_last"
        self.turned = last and 1 in axes  # MXNet takes no axis that is counted from the end
        axes = in_last(axes) if last and not self.turned else tuple(axes)
        nn.Dropout.__init__(self, rate, axes)

    def hybrid_forward(self, F, X):
        ones = F.np.ones_like(X)
        # 1 / (1 - rate) while training, which Gluon rounds to float32, 0 where dropped, else 1
        mask = super().hybrid_forward(F, F.np.moveaxis(ones, -1, 1) if self.turned else ones)
        if self.turned:
            mask = F.np.moveaxis(mask, 1, -1)
        scaled = F.np.where(F.np.greater(mask, 1), X / (1 - self._rate), X)
        return F.np.where(F.np.equal(mask, 0), F.np.zeros_like(X), scaled)


@ub.Flatten.native("mxnet")
class Flatten(ub.Flatten, nn.Flatten):
    def __init__(self, *, layout):
        nn.Flatten.__init__(self)
        self.channels_last = layout == "channels_last"

    def hybrid_forward(self, F, X):
        return super().hybrid_forward(F, F.np.moveaxis(X, -1, 1) if self.channels_last else X)


@ub.Embedding.native("mxnet")
class Embedding(ub.Embedding, nn.Embedding):
    def __init__(self, input_dim, output_dim, *, dtype=None):
        nn.Embedding.__init__(self, input_dim, output_dim, dtype=dtype)
        self.last = input_dim - 1

    def hybrid_forward(self, F, X, weight):
        if F is mx.nd and np.dtype(X.dtype).kind == "f":
            raise self.not_whole(X.dtype)
        rows = super().hybrid_forward(F, X, weight)  # of an index outside the first or last one
        X = F.np.expand_dims(X.astype("float64"), -1)
        outside = F.np.greater(F.np.abs(X - self.last / 2), self.last / 2)
        return F.np.where(outside, F.np.full_like(rows, np.nan), rows)
