"""Recurrent layers, and the operators of sequences of different lengths."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from unified_blocks.porting.graph import Parameter, Value
from unified_blocks.porting.mxnet.moved import moved
from unified_blocks.porting.mxnet.reading import Reading, is_zeros, owner, register
from unified_blocks.porting.operations.recurrent import STEPS, Recurrent
from unified_blocks.porting.operations.sequences import (
    OfSequences,
    SequenceLast,
    SequenceMask,
    SequenceReverse,
)
from unified_blocks.porting.operations.shapes import Concat, Transpose

LAYERS = ("RNN", "LSTM", "GRU")
"""What Gluon calls its blocks."""
TURN = (1, 0, 2)
"""Between `(t, n, d)` and `(n, t, d)`."""


@register("RNN")
def recurrent(read: Reading) -> Any:
    x, vector, *given = read.inputs
    cell = read.text("mode")
    if cell not in STEPS:
        raise read.refused(f"mode must be one of {', '.join(STEPS)}; got {cell}")
    if read.read("projection_size", None) is not None:
        raise read.refused("a projection of the state has no meaning on the other frameworks yet")
    for option in ("lstm_state_clip_min", "lstm_state_clip_max"):
        if read.read(option, None) is not None:
            raise read.refused(f"states are clipped by no other framework: {option}")
    read.ignore("lstm_state_clip_nan")  # of what is not clipped
    lengths = read.flag("use_sequence_length", False)
    states = given[: len(given) - lengths]
    # Layers that lie between two changes of axes have the batch first.
    turned = read.maker(x)
    batch_first = turned is not None and turned.operation == Transpose(TURN)
    layer = Recurrent(
        cell,
        units=read.integer("state_size"),
        num_layers=read.integer("num_layers"),
        bidirectional=read.flag("bidirectional", False),
        dropout=read.number("p", 0.0),
        batch_first=batch_first,
        states=not all(map(is_zeros, states)),
        lengths=lengths,
    )
    parameters = _parameters(read, layer, vector, x.shape[-1])
    y, *after = read.add_all(
        layer,
        turned.inputs[0] if batch_first and turned else x,
        *parameters,
        *(states if layer.states else ()),
        *given[len(states) :],
        path=_place(read, parameters),
    )
    y = read.add(Transpose(TURN), y, suffix="turned") if batch_first else y
    return (y, *after) if read.flag("state_outputs", False) else y


def _place(read: Reading, parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """Where the layer is: of Gluon's, in whose blocks nothing else is left, the block itself."""
    blocks, kinds = read.where
    if blocks:
        return blocks[:-1] if kinds and kinds[-1] in LAYERS else ()
    *above, name = owner(parameters)
    return (*above, re.sub(r"_l0$", "", name))


def _parameters(read: Reading, layer: Recurrent, vector: Value, features: int) -> list[Parameter]:
    """What the vector of all parameters holds: weights of all layers, then all their biases."""
    known = moved(read, vector)
    if known is None:
        raise read.refused("its parameters are computed by the network")
    shapes, places = layer.shapes(features), known.places.ravel()
    expected = sum(map(math.prod, shapes.values()))
    if places.size != expected:
        raise ValueError(
            f"{places.size} parameters where {expected} must be for {features} features"
        )
    found, start = {}, 0
    for name in sorted(shapes, key=lambda name: name.startswith("bias")):
        end = start + math.prod(shapes[name])
        found[name] = known.taken(read, places[start:end], shapes[name], name)
        if found[name] is None:
            raise read.refused(f"{name} is put together of several arrays")
        start = end
    return [found[name] for name in shapes]  # type: ignore[misc]


@register("_rnn_param_concat")
def parameters_of_layers(read: Reading) -> Value:
    read.ignore("num_args")
    return read.add(Concat(read.integer("dim", 1)), *read.inputs)


@register("SequenceMask")
def sequence_mask(read: Reading) -> Value:
    value, axis = read.number("value", 0.0), read.integer("axis", 0)
    if not read.flag("use_sequence_length", False):
        return read.inputs[0]
    return read.add(SequenceMask(axis, value), *read.inputs)


@register("SequenceLast")
def sequence_last(read: Reading) -> Value:
    return _of_sequences(read, SequenceLast)


@register("SequenceReverse")
def sequence_reverse(read: Reading) -> Value:
    return _of_sequences(read, SequenceReverse)


def _of_sequences(read: Reading, operation: type[OfSequences]) -> Value:
    used = read.flag("use_sequence_length", False)
    return read.add(operation(read.integer("axis", 0)), *read.inputs[: 1 + used])
