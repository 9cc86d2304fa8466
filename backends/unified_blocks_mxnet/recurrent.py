"""The recurrent layers of this library as Gluon blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

import unified_blocks as ub
from unified_blocks.errors import UnsupportedError
from unified_blocks.types import Mixin
from unified_blocks_mxnet.compat import mx, nn, rnn


def tanh(F, x, h, states):
    return (F.np.tanh(x + h),)


def relu(F, x, h, states):
    return (F.npx.relu(x + h),)


def lstm(F, x, h, states):
    i, f, g, o = F.np.split(x + h, 4, -1)
    c = F.npx.sigmoid(f) * states[1] + F.npx.sigmoid(i) * F.np.tanh(g)
    return F.npx.sigmoid(o) * F.np.tanh(c), c


def gru(F, x, h, states):
    (xr, xz, xn), (hr, hz, hn) = F.np.split(x, 3, -1), F.np.split(h, 3, -1)
    n = F.np.tanh(xn + F.npx.sigmoid(xr + hr) * hn)
    return (n + F.npx.sigmoid(xz + hz) * (states[0] - n),)


PARTS = ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")
"""What Gluon calls the parameters of a cell."""
STEPS = {"rnn_tanh": tanh, "rnn_relu": relu, "lstm": lstm, "gru": gru}
"""What a cell does, by Gluon's word for it."""


def product(F, X, weight, bias, rows):
    """`X Wᵀ + b`, on the last axis; W has so many rows."""
    return F.npx.fully_connected(
        X, weight, bias, num_hidden=rows, no_bias=bias is None, flatten=False
    )


class Recurrent(Mixin):
    """What the recurrent layers add to Gluon's: lengths, no biases, an output without its state."""

    def __init__(
        self,
        units,
        num_layers=1,
        *,
        bidirectional=False,
        dropout=0.0,
        return_state=False,
        use_bias=True,
        in_units=None,
        dtype=None,
        **named,
    ):
        self.__dict__.update(has_biases=use_bias)  # Gluon's constructor calls the method below
        rate = dropout if num_layers > 1 else 0.0
        options = {"layout": "NTC", "bidirectional": bidirectional, "dtype": dtype, **named}
        self.own.__init__(
            self, units, num_layers, dropout=rate, input_size=in_units or 0, **options
        )
        self.return_state, self.rows = return_state, self.gates * units
        self.flat = tuple(self._reg_params)  # layer by layer
        self.choose(dtype)

    def choose(self, dtype):
        """How MXNet's own function is used, which fails in some cases.

        With relu it is float32 inside. Its own dropout drops wherever gradients are recorded,
        training or not. In float64 the gradients of several layers are wrong, now and then, when
        nobody asks for that of the input.
        """
        wide = np.dtype(dtype) == np.float64
        self.stepwise = self._mode == "rnn_relu" and wide
        self.at_once = self._num_layers == 1 or not (wide or self._dropout)

    def _register_param(self, name, shape, init, dtype):
        if self.has_biases or not name.endswith("_bias"):
            super()._register_param(name, shape, init, dtype)

    def infer_shape(self, X, *others):
        for name in ("l0_i2h_weight", "r0_i2h_weight")[: self._dir]:
            self._reg_params[name].shape = (self.rows, X.shape[-1])

    def cast(self, dtype):
        super().cast(dtype)
        self.choose(dtype)

    def hybrid_forward(self, F, X, states=None, lengths=None, **parameters):
        if F is mx.nd:
            if X.ndim != 3:
                raise self.misshapen(X.shape)
            if not X.size:  # MXNet's own would end the process
                raise UnsupportedError(
                    f"on MXNet a {type(self).__name__} must be given at least one sequence of one "
                    f"step; got shape {X.shape}: leave out empty batches"
                )
            if lengths is not None:
                self.check_lengths(lengths.asnumpy(), X.shape[1])
        if states is None:
            states = (self.zeros(F, X),) * self.states
        elif self.states == 1:
            states = (states,)
        by_steps = lengths is not None or self.stepwise
        run = self.by_steps if by_steps else self.fused
        Y, last = run(F, X, states, parameters, lengths)
        if not self.return_state:
            return Y
        return Y, last[0] if self.states == 1 else tuple(last)

    def zeros(self, F, X):
        """The initial states, if there are none."""
        leading, units = self._num_layers * self._dir, self._hidden_size
        if F is mx.nd:
            return mx.np.zeros((leading, len(X), units), dtype=X.dtype, ctx=X.ctx)
        zero = F.np.zeros_like(F.np.swapaxes(X, 0, 1)[:1, :, :1])  # a symbol has no sizes
        return F.np.tile(zero, (leading, 1, units))

    def fused(self, F, X, states, parameters, lengths):
        """The outputs and the last states, by MXNet's own function, which takes no lengths."""
        X = F.np.swapaxes(X, 0, 1)
        if self.at_once:
            Y, last = self.layers(F, X, states, parameters, 0, self._num_layers)
            return F.np.swapaxes(Y, 0, 1), last
        found: list[Any] = []
        for layer in range(self._num_layers):
            if layer and self._dropout:
                X = F.npx.dropout(X, p=self._dropout)
            rows = slice(layer * self._dir, (layer + 1) * self._dir)
            before = [state[rows] for state in states]
            X, last = self.layers(F, X, before, parameters, layer, layer + 1)
            found.append(last)
        last = [F.np.concatenate(each, 0) for each in zip(*found, strict=True)]
        return F.np.swapaxes(X, 0, 1), last

    def layers(self, F, X, states, parameters, first, end):
        """Some of the layers, in one call, on `(t, n, d)`."""
        count = len(self.flat) // self._num_layers
        names = self.flat[first * count : end * count]
        vectors = [parameters[name].reshape(-1) for name in names if name.endswith("weight")]
        vectors += [parameters[name] for name in names if name.endswith("bias")]
        if not self.has_biases:
            zeros = (2 * (end - first) * self._dir * self.rows,)
            vectors.append(F.np.zeros(zeros, dtype=self._dtype))
        Y, *last = F.npx.rnn(
            X,
            F.np._internal.rnn_param_concat(*vectors, dim=0),
            *states,
            state_size=self._hidden_size,
            num_layers=end - first,
            bidirectional=self._dir == 2,
            state_outputs=True,
            mode=self._mode,
        )
        return Y, last

    def by_steps(self, F, X, states, parameters, lengths):
        """The same, step by step."""
        last: list[Any] = []
        for layer in range(self._num_layers):
            if layer and self._dropout:
                X = F.npx.dropout(X, p=self._dropout)
            outputs = []
            for way in "lr"[: self._dir]:
                cell = [parameters.get(f"{way}{layer}_{part}") for part in PARTS]
                before = [state[len(last)] for state in states]
                Y, after = self.along(F, X, before, cell, lengths, way == "r")
                outputs.append(Y)
                last.append(after)
            X = outputs[0] if len(outputs) == 1 else F.np.concatenate(outputs, -1)
        return X, [F.np.stack(each) for each in zip(*last, strict=True)]

    def along(self, F, X, states, cell, lengths, backwards):
        """One layer in one direction: its outputs, 0 after the ends, and its last states."""
        W, U, b, c = cell
        P = F.np.swapaxes(product(F, X, W, b, self.rows), 0, 1)  # (t, n, gates · units)
        P = turned(F, P, lengths) if backwards else P
        ones = F.np.ones_like(P[:, :, :1])
        alive = ones
        if lengths is not None:
            alive = F.npx.sequence_mask(ones, lengths.astype("float32"), use_sequence_length=True)

        def body(data, before):  # MXNet's loop has legacy arrays, and what is in it need not
            with mx.util.np_array(True):
                x, there = (each.as_np_ndarray() for each in data)
                before = [each.as_np_ndarray() for each in before]
                after = STEPS[self._mode](F, x, product(F, before[0], U, c, self.rows), before)
                there = F.np.greater(there, 0)
                new = [F.np.where(there, *pair) for pair in zip(after, before, strict=True)]
                Y = F.np.where(there, new[0], F.np.zeros_like(new[0]))
                return Y.as_nd_ndarray(), [each.as_nd_ndarray() for each in new]

        with mx.util.np_array(False):
            data = [P.as_nd_ndarray(), alive.as_nd_ndarray()]
            Y, last = F.contrib.foreach(body, data, [each.as_nd_ndarray() for each in states])
        Y = Y.as_np_ndarray()
        Y = turned(F, Y, lengths) if backwards else Y
        return F.np.swapaxes(Y, 0, 1), [each.as_np_ndarray() for each in last]


def turned(F, X, lengths):
    """`(t, n, d)` from the end of each sequence to its beginning, what is after it left there."""
    if lengths is None:
        return F.np.flip(X, 0)
    turn = F.SequenceReverse
    data = X.as_nd_ndarray(), lengths.astype("float32").as_nd_ndarray()
    return turn(*data, use_sequence_length=True).as_np_ndarray()


@ub.RNN.native("mxnet")
class RNN(ub.RNN, Recurrent, rnn.RNN):
    own = rnn.RNN

    def __init__(
        self,
        units,
        num_layers=1,
        *,
        activation="tanh",
        bidirectional=False,
        dropout=0.0,
        return_state=False,
        use_bias=True,
        in_units=None,
        dtype=None,
    ):
        Recurrent.__init__(
            self,
            units,
            num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            return_state=return_state,
            use_bias=use_bias,
            in_units=in_units,
            dtype=dtype,
            activation=activation,
        )


@ub.LSTM.native("mxnet")
class LSTM(ub.LSTM, Recurrent, rnn.LSTM):
    own = rnn.LSTM


@ub.GRU.native("mxnet")
class GRU(ub.GRU, Recurrent, rnn.GRU):
    own = rnn.GRU


class Cell(Mixin):
    """One step. Gluon's own cells give an output beside the state, so that these are no such."""

    def __init__(self, units, *, use_bias=True, in_units=None, dtype=None):
        nn.HybridBlock.__init__(self)
        self.units, self.rows = units, self.gates * units
        shapes = ((self.rows, in_units or 0), (self.rows, units), (self.rows,), (self.rows,))
        for name, shape in list(zip(PARTS, shapes, strict=True))[: 4 if use_bias else 2]:
            options = {"dtype": dtype, "allow_deferred_init": True}
            init = "zeros" if name.endswith("bias") else None
            setattr(self, name, self.params.get(name, shape=shape, init=init, **options))

    def infer_shape(self, X, *others):
        self.i2h_weight.shape = (self.rows, X.shape[-1])

    def hybrid_forward(self, F, X, states=None, **parameters):
        if F is mx.nd and X.ndim != 2:
            raise self.misshapen(X.shape)
        if states is None:
            states = (self.zeros(F, X),) * self.states
        elif self.states == 1:
            states = (states,)
        W, U, b, c = (parameters.get(name) for name in PARTS)
        x, h = product(F, X, W, b, self.rows), product(F, states[0], U, c, self.rows)
        after = self.step(F, x, h, states)
        return after[0] if self.states == 1 else after

    def zeros(self, F, X):
        if F is mx.nd:
            return mx.np.zeros((len(X), self.units), dtype=X.dtype, ctx=X.ctx)
        return F.np.tile(F.np.zeros_like(X[:, :1]), (1, self.units))


@ub.RNNCell.native("mxnet")
class RNNCell(ub.RNNCell, Cell, nn.HybridBlock):
    def __init__(self, units, *, activation="tanh", use_bias=True, in_units=None, dtype=None):
        Cell.__init__(self, units, use_bias=use_bias, in_units=in_units, dtype=dtype)
        self.step = STEPS[f"rnn_{activation}"]


@ub.LSTMCell.native("mxnet")
class LSTMCell(ub.LSTMCell, Cell, nn.HybridBlock):
    step = staticmethod(lstm)


@ub.GRUCell.native("mxnet")
class GRUCell(ub.GRUCell, Cell, nn.HybridBlock):
    step = staticmethod(gru)
