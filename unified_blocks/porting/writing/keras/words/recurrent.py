"""Recurrent layers: each of several is one of Keras, which has one bias where others have two.

A GRU of Keras has both, and its gates in another order: z, r, h.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.layers.recurrent import PARTS, suffixes
from unified_blocks.porting.graph import Parameter, Value
from unified_blocks.porting.operations.recurrent import Recurrent
from unified_blocks.porting.writing.keras.expressions import (
    Call,
    Expression,
    Row,
    Step,
    Tensor,
    call,
)
from unified_blocks.porting.writing.keras.words.orders import moved
from unified_blocks.porting.writing.keras.writer import Writing, array_of, plain, writes
from unified_blocks.types import Array, Shape

KINDS = {"lstm": "LSTM", "gru": "GRU", "rnn_tanh": "SimpleRNN", "rnn_relu": "SimpleRNN"}
Weights = list[tuple[str, Parameter, Array]]


@writes(Recurrent)
def recurrent(w: Writing) -> None:
    operation: Recurrent = w.operation
    count = len(operation.names)
    arrays = dict(zip(operation.names, map(owned, w.inputs[1 : 1 + count]), strict=True))
    ends = list(suffixes(operation.num_layers, operation.bidirectional))
    order: Shape = plain(3) if operation.batch_first else (1, 0, 2)
    wanted = {*w.writer.users, *w.writer.graph.outputs}
    returns = not wanted.isdisjoint(w.node.outputs[1:])
    begin, mask = begins(w, 1 + count), mask_of(w)
    x, after = w.taken(0, order), list[Tensor]()
    for i in range(operation.num_layers):
        own = ends[i * operation.directions : (i + 1) * operation.directions]
        last = i == operation.num_layers - 1
        keywords: list[tuple[str, Expression]] = []
        if begin:
            first, begin = begin[: len(own)], begin[len(own) :]
            given = tuple(state for states in first for state in states)
            keywords.append(("initial_state", given[0] if len(given) == 1 else Row(given)))
        if mask is not None:
            keywords.append(("mask", mask))
        made = layer(w, i, [{part: arrays[part + end] for part in PARTS} for end in own], returns)
        outputs = [moved(w.node.output, order)]
        count = operation.state_count * len(own) if returns else 0
        rows, growth = moved(w.node.outputs[1], plain(3))
        outputs += [(rows[1:], growth[1:])] * count
        tensors = tuple(Tensor(*each) for each in outputs)
        path = w.node.path if last else ()
        w.writer.steps[w.node].append(Step(tensors, Call(made, (x,), tuple(keywords)), path))
        x, *states = tensors
        after += states
        if operation.dropout and not last:
            x = w.add(Call(call("layers.Dropout", operation.dropout), (x,)), x.shape, x.growth)
    w.writer.lying[w.node.output] = (x, order)
    for k, value in enumerate(w.node.outputs[1:] if returns else ()):
        w.give_as(value, call("ops.stack", Row(tuple(after[k :: operation.state_count]))), plain(3))


def owned(given: Value) -> Parameter:
    """An input that is numbers of the network."""
    array_of(given)
    assert isinstance(given, Parameter)
    return given


def begins(w: Writing, start: int) -> list[tuple[Tensor, ...]]:
    """The initial states of each layer and direction, where they are given."""
    operation: Recurrent = w.operation
    if not operation.states:
        return []
    kinds = []
    for i in range(start, start + operation.state_count):
        shape, growth = moved(w.inputs[i], plain(3))
        apart = tuple(Tensor(shape[1:], growth[1:]) for _ in range(shape[0]))
        split = "ops.unstack" if len(apart) > 1 else "ops.squeeze"
        places = () if len(apart) > 1 else (0,)
        w.writer.steps[w.node].append(Step(apart, call(split, w.plain(i), *places)))
        kinds.append(apart)
    return list(zip(*kinds, strict=True))


def mask_of(w: Writing) -> Tensor | None:
    """Which steps are before the end of their sequence, `(n, t)`."""
    operation: Recurrent = w.operation
    if not operation.lengths:
        return None
    shape, growth = moved(w.node.output, plain(3) if operation.batch_first else (1, 0, 2))
    ends = call("ops.expand_dims", w.plain(len(w.inputs) - 1), 1)
    return w.add(call("ops.less", call("ops.arange", shape[1]), ends), shape[:2], growth[:2])


def layer(w: Writing, place: int, cells: list[dict[str, Parameter]], returns: bool) -> Any:
    """What makes one layer.

    Args:
        place: of how many layers it is the one.
        cells: the parameters of each direction.
        returns: whether its states are wanted.
    """
    operation: Recurrent = w.operation
    if len({each.role == "parameter" for cell in cells for each in cell.values()}) > 1:
        raise w.refused("a recurrent layer must be trained as a whole, or not at all")
    options: dict[str, Any] = {
        "activation": "relu" if operation.cell == "rnn_relu" else "tanh",
        "return_sequences": True,
        "return_state": returns,
        "zero_output_for_mask": operation.lengths,
    }
    kind = f"layers.{KINDS[operation.cell]}"
    path = w.node.path if operation.num_layers == 1 else (*w.node.path, str(place))
    if len(cells) == 1:
        made = w.layer(
            kind, operation.units, weights=weights(operation, cells[0]), path=path, **options
        )
    else:
        both = zip(("forward_layer", "backward_layer"), cells, strict=True)
        given = [
            (f"{side}.{own}", parameter, array)
            for side, cell in both
            for own, parameter, array in weights(operation, cell)
        ]
        inner = call(kind, operation.units, **options)
        made = w.layer("layers.Bidirectional", inner, weights=given, path=path)
    name = ".".join(path)
    for side, cell in zip(("forward_layer.", "backward_layer."), cells, strict=False):
        own = f"{name}.{side}" if len(cells) == 2 else f"{name}."
        w.writer.names[cell["bias_hh"].name] = f"{own}bias"
    return made


def weights(operation: Recurrent, cell: dict[str, Parameter]) -> Weights:
    """The numbers of a cell, as Keras has them."""
    arrays = [cell[part].data for part in PARTS]
    if operation.cell == "gru":
        arrays = [
            np.concatenate([np.split(each, 3)[gate] for gate in (1, 0, 2)]) for each in arrays
        ]
    of_input, of_state, *biases = arrays
    bias = np.stack(biases) if operation.cell == "gru" else biases[0] + biases[1]
    return [
        ("kernel", cell["weight_ih"], of_input.T),
        ("recurrent_kernel", cell["weight_hh"], of_state.T),
        ("bias", cell["bias_ih"], bias),
    ]
