"""The variables of recurrent layers and cells: Keras' own, and those of this library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from unified_blocks.layers.recurrent import PARTS, Cell, Recurrent
from unified_blocks_tensorflow.families import Held, Part

GATES = {
    keras.layers.SimpleRNNCell: 1,
    keras.layers.LSTMCell: 4,
    keras.layers.GRUCell: 3,
}
"""Keras' cells, and how many gates each has."""
KINDS = {
    keras.layers.SimpleRNN: "RNN",
    keras.layers.LSTM: "LSTM",
    keras.layers.GRU: "GRU",
    keras.layers.SimpleRNNCell: "RNNCell",
    keras.layers.LSTMCell: "LSTMCell",
    keras.layers.GRUCell: "GRUCell",
}
"""What this library calls Keras' recurrent layers."""


@dataclass(frozen=True)
class Rows:
    """The gates one after the other: `(…, gates · units)` is `(gates · units, …)`.

    A GRU of Keras has z, r, h where others have r, z, n: the first two change their places, and
    changed again they are where they were.
    """

    gates: int

    def shape(self, native):
        return tuple(reversed(native))

    def to_canonical(self, array):
        return self.ordered(tf.transpose(array))

    def to_native(self, array, native):
        return tf.transpose(self.ordered(array))

    def ordered(self, array):
        if self.gates != 3:
            return array
        first, second, third = tf.split(array, 3, 0)
        return tf.concat([second, first, third], 0)


@dataclass(frozen=True)
class Row:
    """One of the two biases of a GRU, which Keras has in one variable, `(2, gates · units)`."""

    number: int
    is_zero = False

    def shape(self, native):
        return native[1:]

    def of(self, array):
        return array[self.number]

    def merged(self, array, before):
        return tf.stack([array if i == self.number else before[i] for i in range(2)])


@dataclass(frozen=True)
class Term:
    """One of two biases of which Keras has the sum: all of it is that of the input."""

    is_zero: bool

    def shape(self, native):
        return native

    def of(self, array):
        return array  # the sum has the gradient of either

    def merged(self, array, before):
        return before + array if self.is_zero else array


Family = tuple[Held, ...] | None


def held_by_recurrent(layer: Any) -> Family:
    """The variables of a recurrent layer or cell; None of any other, and of what is unknown."""
    if isinstance(layer, Recurrent):
        return tuple(_own(name, layer, 3) for cell in vars(layer)["names"] for name in cell)
    if isinstance(layer, Cell):
        biases = vars(layer)["use_bias"]
        return tuple(_own(name, layer, 2) for name in PARTS[: 4 if biases else 2])
    if isinstance(layer, tuple(GATES)):
        return _of_cells([(layer, "", lambda cell: cell)], 2)
    if isinstance(layer, keras.layers.RNN):
        cell = layer.cell
        if not isinstance(cell, keras.layers.StackedRNNCells):
            return _of_cells([(cell, "_l0", lambda layer: layer.cell)], 3)
        numbers = range(len(cell.cells))
        return _of_cells([(cell.cells[i], f"_l{i}", _stacked(i)) for i in numbers], 3)
    if isinstance(layer, keras.layers.Bidirectional):
        both = layer.forward_layer, layer.backward_layer
        if not all(isinstance(each, keras.layers.RNN) for each in both):
            return None
        ahead, back = (each.cell for each in both)
        return _of_cells(
            [
                (ahead, "_l0", lambda layer: layer.forward_layer.cell),
                (back, "_l0_reverse", lambda layer: layer.backward_layer.cell),
            ],
            3,
        )
    return None


def why_unknown(layer: Any) -> str:
    """Why a recurrent layer or cell of Keras' own has no canonical names, in words."""
    if isinstance(layer, keras.layers.GRUCell) and not layer.reset_after:
        return " with reset_after=False, which no other framework computes"
    return ""


def _stacked(number: int) -> Callable[[Any], Any]:
    return lambda layer: layer.cell.cells[number]


def _own(name: str, layer: Any, axes: int) -> Held:
    """A variable of a layer of this library, in canonical layout."""
    return Held(name, name, sizes=lambda layer: _sizes(name, layer, layer.gates), axes=axes)


def _sizes(name: str, cell: Any, gates: int) -> tuple[int | None, ...]:
    """A shape before there is one."""
    rows = gates * cell.units
    if not name.startswith("weight"):
        return (rows,)
    if name.startswith("weight_hh"):
        return (rows, cell.units)
    below = name not in ("weight_ih", "weight_ih_l0", "weight_ih_l0_reverse")
    return (rows, cell.units * (1 + getattr(cell, "bidirectional", False)) if below else None)


def _of_cells(cells: list[tuple[Any, str, Callable[[Any], Any]]], axes: int) -> Family:
    """The variables of Keras' own cells, each with the end of the names and how it is found."""
    first = type(cells[0][0])
    known = next((cls for cls in GATES if issubclass(first, cls)), None)
    if known is None or not all(isinstance(cell, known) for cell, _, _ in cells):
        return None
    if any(why_unknown(cell) for cell, _, _ in cells):
        return None
    return tuple(
        held for cell, end, find in cells for held in _of_cell(cell, end, find, GATES[known], axes)
    )


def _of_cell(cell: Any, end: str, find: Callable[[Any], Any], gates: int, axes: int) -> list[Held]:
    is_gru = gates == 3
    wanted: list[tuple[str, str, Part | None]] = [
        ("weight_ih", "kernel", None),
        ("weight_hh", "recurrent_kernel", None),
    ]
    if cell.use_bias:
        wanted += [
            ("bias_ih", "bias", Row(0) if is_gru else Term(False)),
            ("bias_hh", "bias", Row(1) if is_gru else Term(True)),
        ]
    kind = next(KINDS[cls] for cls in GATES if isinstance(cell, cls))
    rows = Rows(gates)

    def sizes(name: str) -> Callable[[Any], tuple[int | None, ...]]:
        return lambda layer: _sizes(name, find(layer), gates)

    return [
        Held(
            name + end,
            attribute,
            layout=lambda layer: rows,
            kind=kind.removesuffix("Cell") if end else kind,
            holder=find,
            part=part,
            sizes=sizes(name + end),
            axes=axes,
        )
        for name, attribute, part in wanted
    ]
