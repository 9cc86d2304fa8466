"""Activations that have options, and softmax."""

from __future__ import annotations

from typing import Any

from unified_blocks.porting.operations.activations import Elu, LeakyRelu, PRelu, Softmax
from unified_blocks.porting.writing.keras.expressions import Call, call
from unified_blocks.porting.writing.keras.words.convolutions import parameters
from unified_blocks.porting.writing.keras.writer import Writing, writes


@writes(LeakyRelu, follows=True)
def leaky_relu(w: Writing) -> None:
    w.give(Call(w.layer("layers.LeakyReLU", w.operation.slope), (w.x,)))


@writes(Elu, follows=True)
def elu(w: Writing) -> None:
    w.give(Call(w.layer("layers.ELU", w.operation.alpha), (w.x,)))


@writes(PRelu, follows=True)
def prelu(w: Writing) -> None:
    (slope,) = parameters(w)
    place = w.order.index(1)
    shared = [i for i in range(1, len(w.order)) if i != place or slope.shape == (1,)]
    shape = [1] * (len(w.order) - 1)
    shape[place - 1] = slope.shape[0]
    options: dict[str, Any] = {"shared_axes": tuple(shared)} if shared else {}
    layer = w.layer(
        "layers.PReLU", weights=[("alpha", slope, slope.data.reshape(shape))], **options
    )
    w.give(Call(layer, (w.x,)))


@writes(Softmax, follows=True)
def softmax(w: Writing) -> None:
    axis = w.axis(w.operation.axis)
    if w.operation.log:
        return w.give(call("ops.log_softmax", w.x, axis=axis))
    return w.give(Call(w.layer("layers.Softmax", axis=axis), (w.x,)))
