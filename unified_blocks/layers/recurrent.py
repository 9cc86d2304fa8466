"""Recurrent layers: they read a sequence step by step, and carry a state from step to step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from unified_blocks.block import Block, argument
from unified_blocks.block.arguments import declared
from unified_blocks.errors import InputError
from unified_blocks.reference.numpy_ops import ACTIVATE, sigmoid
from unified_blocks.types import Array, State

PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
"""What a cell holds: of the input and of the state before."""


def suffixes(num_layers: int, bidirectional: bool) -> Iterator[str]:
    """How the names of the parameters end, in their order: `_l0`, `_l0_reverse`, `_l1`, …"""
    for layer in range(num_layers):
        yield f"_l{layer}"
        if bidirectional:
            yield f"_l{layer}_reverse"


class Gates(Block):
    """What a cell and the layer of such cells have in common: how a state follows from the last.

    Attributes:
        gates: how many there are; so many times the units are the rows of a weight.
        states: how many tensors a state is.
    """

    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1
    axes: ClassVar[str]
    """Of the input, in words."""

    def misshapen(self, shape: Sequence[int]) -> InputError:
        """The error for an input that has another number of axes."""
        return InputError(
            f"{type(self).__name__}: the input must have shape ({self.axes}); got shape "
            f"{tuple(shape)}: put it into a batch, X[None], or reshape it"
        )

    def next_states(self, x: Array, h: Array, state: Array | tuple[Array, ...]) -> Any:
        """The next state in NumPy.

        Args:
            x, h: what the gates get from the input and from the last state, `(n, gates · units)`.
            state: the last one.
        """
        raise NotImplementedError


class TanhGates(Gates):
    """`h' = act(x + h)`."""

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        if values["activation"] not in ("tanh", "relu"):
            raise ValueError(
                f"{cls.__name__}: activation must be tanh or relu, as the frameworks have them; "
                f"got activation={values['activation']!r}"
            )

    def next_states(self, x: Array, h: Array, state: Any) -> Any:
        return (ACTIVATE[argument(self, "activation")](x + h),)


class LSTMGates(Gates):
    """`c' = f c + i g`, `h' = o tanh(c')`."""

    gates = 4
    states = 2

    def next_states(self, x: Array, h: Array, state: Any) -> Any:
        i, f, g, o = np.split(x + h, 4, -1)
        c = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c


class GRUGates(Gates):
    """`h' = (1 - z) n + z h`."""

    gates = 3

    def next_states(self, x: Array, h: Array, state: Any) -> Any:
        (xr, xz, xn), (hr, hz, hn) = np.split(x, 3, -1), np.split(h, 3, -1)
        z = sigmoid(xz + hz)
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        return ((1 - z) * n + z * state[0],)


class Cell(Gates):
    """Base of the cells: one step."""

    axes = "n, d"
    input_parameter = "weight_ih"

    def reference(self, state: State, X: Array, states: Any = None) -> Any:
        n, units = len(X), argument(self, "units")
        given = (np.zeros((n, units)),) * self.states if states is None else states
        given = given if isinstance(given, tuple | list) else (given,)
        after = self.next_states(*_products(state, "", X, given[0]), tuple(given))
        return after[0] if self.states == 1 else after


class Recurrent(Gates):
    """Base of the layers of recurrent cells."""

    axes = "n, t, d"
    input_parameter = "weight_ih_l0"

    @declared
    def __init__(
        self,
        units: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        return_state: bool = False,
        use_bias: bool = True,
        in_units: int | None = None,
        dtype: Any = None,
    ) -> None: ...

    def check_lengths(self, lengths: Sequence[int] | Array, steps: int) -> None:
        """Raise `ValueError` for lengths that are not those of sequences of so many steps."""
        if len(lengths) and not 1 <= min(lengths) <= max(lengths) <= steps:
            raise ValueError(
                f"{type(self).__name__}: lengths must be from 1 to {steps}, the steps of the "
                f"input; got lengths from {min(lengths)} to {max(lengths)}: leave out empty "
                "sequences, and pad the input to the longest"
            )

    def reference(self, state: State, X: Array, states: Any = None, lengths: Any = None) -> Any:
        n, t = X.shape[:2]
        ends = np.full(n, t) if lengths is None else lengths
        units, layers = argument(self, "units"), argument(self, "num_layers")
        directions = (False, True) if argument(self, "bidirectional") else (False,)
        if states is None:
            states = (np.zeros((layers * len(directions), n, units)),) * self.states
        states = states if isinstance(states, tuple | list) else (states,)
        last: list[list[Array]] = []
        for layer in range(layers):
            outputs = []
            for backwards in directions:
                name = f"_l{layer}" + "_reverse" * backwards
                before = tuple(each[len(last)] for each in states)
                Y, after = self._along(state, name, X, before, ends, backwards)
                outputs.append(Y)
                last.append(after)
            X = np.concatenate(outputs, -1)
        if not argument(self, "return_state"):
            return X
        found = tuple(np.stack(each) for each in zip(*last, strict=True))
        return X, found[0] if self.states == 1 else found

    def _along(
        self,
        numbers: State,
        name: str,
        X: Array,
        states: tuple[Array, ...],
        ends: Array,
        backwards: bool,
    ) -> tuple[Array, list[Array]]:
        """One layer in one direction: the outputs, 0 after the ends, and the last states."""
        outputs = [np.zeros_like(states[0])] * X.shape[1]
        now: Any = list(states)
        for k in range(X.shape[1])[:: -1 if backwards else 1]:
            after = self.next_states(*_products(numbers, name, X[:, k], now[0]), now)
            alive = (k < ends)[:, None]
            now = [np.where(alive, new, old) for new, old in zip(after, now, strict=True)]
            outputs[k] = np.where(alive, now[0], 0)
        return np.stack(outputs, 1), now


def _products(numbers: State, name: str, x: Array, h: Array) -> tuple[Array, Array]:
    """What the gates get from an input and from a state."""
    W, U = numbers[f"weight_ih{name}"], numbers[f"weight_hh{name}"]
    b, c = numbers.get(f"bias_ih{name}", 0), numbers.get(f"bias_hh{name}", 0)
    return x @ W.T + b, h @ U.T + c


class RNN(TanhGates, Recurrent):
    """A plain recurrent layer: `h' = act(W x + b + U h + c)`, of batches of sequences.

    Called with a sequence, and as wanted with initial states and lengths: `net(X, states,
    lengths)`. Layers lie on each other, each reads what the last gives.

    Args:
        units: width of the state.
        num_layers: L, how many layers lie on each other.
        activation: `"tanh"` or `"relu"`. Default: tanh, as PyTorch and Keras have it, not Gluon.
        bidirectional: whether a second cell in each layer reads the sequence from its end; D = 2
            then, else 1.
        dropout: of the outputs of each layer but the last, while training.
        return_state: whether to give the last states too.
        use_bias: whether there are the two biases.
        in_units: width of the input, d; if omitted, inferred from the first input.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(n, t, d)`; initial states `(L·D, n, units)`, zeros if left out; lengths `(n,)`,
        whole numbers from 1 to t, if left out t. Output `Y: (n, t, D·units)`, with `return_state`
        the tuple `(Y, h)`, h as the initial states. After the end of a sequence the output is 0;
        its last state is that at its end, and there the other direction begins.

    Parameters (canonical names and layout are PyTorch's; the framework's default initial values):
        `weight_ih_l0`: `(units, d)`, of further layers `(units, D·units)`; `weight_hh_l0`:
        `(units, units)`; `bias_ih_l0` and `bias_hh_l0`: `(units,)`. Of the other direction
        `weight_ih_l0_reverse`, …

    Raises:
        TypeError, ValueError: as `Dense`; for another activation.

    Source:
        Elman, "Finding structure in time", 1990.

    Example::

        layer = ub.RNN(16, return_state=True)
        layer(ub.from_numpy(np.zeros((2, 5, 4), "float32")))  # (2, 5, 16), (1, 2, 16)
    """

    @declared
    def __init__(
        self,
        units: int,
        num_layers: int = 1,
        *,
        activation: str = "tanh",
        bidirectional: bool = False,
        dropout: float = 0.0,
        return_state: bool = False,
        use_bias: bool = True,
        in_units: int | None = None,
        dtype: Any = None,
    ) -> None: ...


class LSTM(LSTMGates, Recurrent):
    """Long short-term memory: a cell keeps `c`, and gates decide what enters, stays and leaves.

    `i, f, g, o = W x + b + U h + c₀` in four parts; `c' = σ(f) c + σ(i) tanh(g)`, `h' = σ(o)
    tanh(c')`.

    Args:
        units, num_layers, bidirectional, dropout, return_state, use_bias, in_units, dtype: as of
            `RNN`.

    Shape:
        As of `RNN`; a state is the pair `(h, c)`, each `(L·D, n, units)`.

    Parameters (canonical names and layout are PyTorch's; the framework's default initial values):
        As of `RNN`, with `4·units` rows, those of i, f, g and o one after the other.

    Source:
        Hochreiter and Schmidhuber, "Long short-term memory", 1997, with forget gates (Gers and
        others, 2000). All three frameworks have it in this form; Keras' own layer has one bias,
        the sum of the two here.

    Example::

        layer = ub.LSTM(16, num_layers=2, dropout=0.5)
        layer(ub.from_numpy(np.zeros((2, 5, 4), "float32")))  # (2, 5, 16)
    """


class GRU(GRUGates, Recurrent):
    """A gated recurrent unit, its reset after the product.

    `r = σ(W_r x + b_r + U_r h + c_r)`, `z` likewise; `n = tanh(W_n x + b_n + r (U_n h + c_n))`;
    `h' = (1 - z) n + z h`.

    Args:
        units, num_layers, bidirectional, dropout, return_state, use_bias, in_units, dtype: as of
            `RNN`.

    Shape:
        As of `RNN`.

    Parameters (canonical names and layout are PyTorch's; the framework's default initial values):
        As of `RNN`, with `3·units` rows, those of r, z and n one after the other.

    Source:
        Cho and others, "Learning phrase representations using RNN encoder-decoder", 2014; the
        reset is after the product, as cuDNN has it, PyTorch, Gluon, and Keras by default.

    Example::

        layer = ub.GRU(16, bidirectional=True)
        layer(ub.from_numpy(np.zeros((2, 5, 4), "float32")))  # (2, 5, 32)
    """


class RNNCell(TanhGates, Cell):
    """One step of `RNN`: called with `(X, state)`, it gives the next state.

    Args:
        units: width of the state.
        activation: `"tanh"` or `"relu"`.
        use_bias: whether there are the two biases.
        in_units: width of the input, d; if omitted, inferred from the first input.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(n, d)`, state `(n, units)`, zeros if left out; output `(n, units)`.

    Parameters (canonical names and layout are PyTorch's; the framework's default initial values):
        `weight_ih`: `(units, d)`; `weight_hh`: `(units, units)`; `bias_ih`, `bias_hh`: `(units,)`.

    Example::

        ub.RNNCell(16)(ub.from_numpy(np.zeros((2, 4), "float32")))  # (2, 16)
    """

    @declared
    def __init__(
        self,
        units: int,
        *,
        activation: str = "tanh",
        use_bias: bool = True,
        in_units: int | None = None,
        dtype: Any = None,
    ) -> None: ...


class LSTMCell(LSTMGates, Cell):
    """One step of `LSTM`: called with `(X, (h, c))`, it gives the next `(h, c)`.

    Args:
        units, use_bias, in_units, dtype: as of `RNNCell`.

    Shape:
        Input `(n, d)`; h and c `(n, units)`, zeros if left out; output a tuple of such.

    Parameters (canonical names and layout are PyTorch's; the framework's default initial values):
        As of `RNNCell`, with `4·units` rows, as of `LSTM`.

    Example::

        ub.LSTMCell(16)(ub.from_numpy(np.zeros((2, 4), "float32")))  # (2, 16), (2, 16)
    """

    @declared
    def __init__(
        self,
        units: int,
        *,
        use_bias: bool = True,
        in_units: int | None = None,
        dtype: Any = None,
    ) -> None: ...


class GRUCell(GRUGates, Cell):
    """One step of `GRU`: called with `(X, state)`, it gives the next state.

    Args:
        units, use_bias, in_units, dtype: as of `RNNCell`.

    Shape:
        As of `RNNCell`.

    Parameters (canonical names and layout are PyTorch's; the framework's default initial values):
        As of `RNNCell`, with `3·units` rows, as of `GRU`.

    Example::

        ub.GRUCell(16)(ub.from_numpy(np.zeros((2, 4), "float32")))  # (2, 16)
    """

    @declared
    def __init__(
        self,
        units: int,
        *,
        use_bias: bool = True,
        in_units: int | None = None,
        dtype: Any = None,
    ) -> None: ...
