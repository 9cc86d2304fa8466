"""Recurrent layers: they read sequences step by step, and carry a state from step to step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.layers.recurrent import PARTS, suffixes
from unified_blocks.porting.operations.operation import Given, Operation
from unified_blocks.reference.numpy_ops import relu, sigmoid
from unified_blocks.types import Array, Shape

States = tuple[Array, ...]


def _lstm(x: Array, h: Array, states: States) -> States:
    i, f, g, o = np.split(x + h, 4, -1)
    c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def _gru(x: Array, h: Array, states: States) -> States:
    (xr, xz, xn), (hr, hz, hn) = np.split(x, 3, -1), np.split(h, 3, -1)
    z = sigmoid(xz + hz)
    n = np.tanh(xn + sigmoid(xr + hr) * hn)
    return ((1 - z) * n + z * states[0],)


STEPS: dict[str, Callable[[Array, Array, States], States]] = {
    "lstm": _lstm,
    "gru": _gru,
    "rnn_tanh": lambda x, h, states: (np.tanh(x + h),),
    "rnn_relu": lambda x, h, states: (relu(x + h),),
}
"""The next states, of what the gates get of the input and of the last state, and of the last."""
GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


@dataclass(frozen=True)
class Recurrent(Operation):
    """Layers of recurrent cells that lie on each other.

    Takes a sequence `(t, n, d)`; `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` of each layer and
    direction, the rows of the gates in PyTorch's order (i, f, g, o; r, z, n); where `states`, the
    initial `h: (layers, n, units)`, of an LSTM also `c`; where `lengths`, those of the sequences.
    Gives the outputs `(t, n, directions · units)`, and the last of each state.

    Attributes:
        cell: a key of `STEPS`.
        units: width of the state.
        num_layers: how many lie on each other.
        bidirectional: whether a second cell in each layer reads the sequence from its end.
        dropout: of the outputs of each layer but the last, in training.
        batch_first: whether a sequence is `(n, t, d)`.
        states: whether initial states are given; otherwise they are zeros.
        lengths: whether each sequence has its own length: after its end outputs are 0, and the
            other direction begins at its end.
    """

    cell: str
    units: int
    num_layers: int = 1
    bidirectional: bool = False
    dropout: float = 0.0
    batch_first: bool = False
    states: bool = False
    lengths: bool = False

    @property
    def state_count(self) -> int:
        """How many tensors a state is."""
        return 2 if self.cell == "lstm" else 1

    @property
    def directions(self) -> int:
        """1, or 2."""
        return 2 if self.bidirectional else 1

    @property
    def names(self) -> list[str]:
        """What its parameters are called, in the order in which it takes them."""
        ends = suffixes(self.num_layers, self.bidirectional)
        return [part + end for end in ends for part in PARTS]

    def shapes(self, features: int) -> dict[str, Shape]:
        """The shape of each parameter, for sequences of so many features."""
        rows = GATES[self.cell] * self.units
        found: dict[str, Shape] = {}
        for name in self.names:
            below = features if "_l0" in name else self.directions * self.units
            columns = below if name.startswith("weight_ih") else self.units
            found[name] = (rows, columns) if name.startswith("weight") else (rows,)
        return found

    def infer(self, *inputs: Any) -> Given:
        x, *arrays = inputs
        parameters, rest = arrays[: len(self.names)], arrays[len(self.names) :]
        if len(x.shape) != 3:
            raise ValueError(f"a sequence must have three axes; {x.shape} has not")
        for (name, shape), array in zip(self.shapes(x.shape[-1]).items(), parameters, strict=True):
            if array.shape != shape:
                raise ValueError(f"{name} is {array.shape} where {shape} must be")
        n = x.shape[0 if self.batch_first else 1]
        state = (self.num_layers * self.directions, n, self.units)
        count = self.state_count if self.states else 0
        if any(each.shape != state for each in rest[:count]):
            raise ValueError(f"states of {[s.shape for s in rest[:count]]} where {state} must be")
        sequence = (*x.shape[:2], self.directions * self.units)
        return [(sequence, x.dtype), *[(state, x.dtype)] * self.state_count]

    def compute(self, *arrays: Array) -> tuple[Array, ...]:
        x, *rest = arrays
        x = x.swapaxes(0, 1) if self.batch_first else x
        steps, n = x.shape[:2]
        numbers = dict(zip(self.names, rest, strict=False))
        rest = rest[len(numbers) :]
        zeros = np.zeros((self.num_layers * self.directions, n, self.units), x.dtype)
        first = rest[: self.state_count] if self.states else [zeros] * self.state_count
        ends = rest[-1] if self.lengths else np.full(n, steps)
        last: list[States] = []
        for layer in range(self.num_layers):
            outputs = []
            for end in list(suffixes(self.num_layers, self.bidirectional))[
                layer * self.directions : (layer + 1) * self.directions
            ]:
                states = tuple(each[len(last)] for each in first)
                y, after = self._along(x, [numbers[part + end] for part in PARTS], states, ends,
                                       end.endswith("reverse"))  # fmt: skip
                outputs.append(y)
                last.append(after)
            x = np.concatenate(outputs, -1)
        y = x.swapaxes(0, 1) if self.batch_first else x
        return y, *(np.stack(each) for each in zip(*last, strict=True))

    def _along(
        self, x: Array, parameters: list[Array], states: States, ends: Array, backwards: bool
    ) -> tuple[Array, States]:
        """One layer in one direction: its outputs, and its last states."""
        W, U, b, c = parameters
        given = x @ W.T + b
        outputs = np.zeros((*x.shape[:2], self.units), given.dtype)
        for k in range(len(x))[:: -1 if backwards else 1]:
            after = STEPS[self.cell](given[k], states[0] @ U.T + c, states)
            alive = (k < ends)[:, None]
            states = tuple(
                np.where(alive, new, old) for new, old in zip(after, states, strict=True)
            )
            outputs[k] = np.where(alive, states[0], 0)
        return outputs, states
