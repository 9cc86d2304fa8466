"""The recurrent layers of this library as Keras layers.

Keras' own have one bias where others have two, which are trained twice as fast, and in eager calls
they take a millisecond for each step. So these are written with TensorFlow: what a layer does is
one graph, in eager calls too.
"""

from __future__ import annotations

import functools
from typing import Any

import keras
import tensorflow as tf

import unified_blocks as ub
from unified_blocks.layers.recurrent import PARTS, suffixes
from unified_blocks.types import Mixin

AT_ONCE = 16
"""How many steps at most are in one turn of a loop, if it is known how many there are."""

MANY = 64
"""From how many steps on it pays to turn their matrix once, which makes each faster by a tenth."""


def affine(U, c=None, **options):
    """What a step asks for: the product of a state and `U`, and a bias if there is one."""

    def product(h):
        Z = tf.matmul(h, U, **options)
        return Z if c is None else Z + c

    return product


def tanh(x, states, product):
    return (tf.tanh(x + product(states[0])),)


def relu(x, states, product):
    return (tf.nn.relu(x + product(states[0])),)


def lstm(x, states, product):
    i, f, g, o = tf.split(x + product(states[0]), 4, -1)
    kept = tf.sigmoid(f) * states[1] + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(kept), kept


def gru(x, states, product):
    (xr, xz, xn), (hr, hz, hn) = tf.split(x, 3, -1), tf.split(product(states[0]), 3, -1)
    n = tf.tanh(xn + tf.sigmoid(xr + hr) * hn)
    return (n + tf.sigmoid(xz + hz) * (states[0] - n),)


STEPS = {"tanh": tanh, "relu": relu}
"""The step of a plain recurrent layer, by its activation."""


def sizes_of(X):
    """The shape of a tensor: numbers where they are known."""
    known = X.shape.as_list()
    if None not in known:
        return known
    dynamic = tf.shape(X)
    return [dynamic[i] if size is None else size for i, size in enumerate(known)]


def from_input(X, W, *biases):
    """`X Wᵀ + b`, on the last axis."""
    flat = tf.matmul(tf.reshape(X, (-1, X.shape[-1] or sizes_of(X)[-1])), W, transpose_b=True)
    flat = tf.nn.bias_add(flat, tf.add_n(biases)) if biases else flat
    return tf.reshape(flat, (*sizes_of(X)[:-1], W.shape[0] or sizes_of(W)[0]))


def along(step, backwards, X, states, weights, lengths=None):
    """One layer in one direction: its outputs and its last states.

    Args:
        step: what a cell does.
        backwards: whether it begins at the end.
        X: `(n, t, d)`.
        states: the initial ones, each `(n, units)`.
        weights: those of the input and of the state, and if there are any their biases.
        lengths: of the sequences, `(n,)`.
    """
    W, U, *biases = weights
    X = turned(tf.transpose(X, (1, 0, 2)), backwards, lengths)  # (t, n, d)
    after = biases[1:] if step is gru else []  # its reset is applied to this one
    P = from_input(X, W, *(biases[:1] if after else biases))  # (t, n, gates · units)
    t = P.shape[0]
    if t is None or t > MANY:
        product = affine(tf.transpose(U), *after)
    else:
        product = affine(U, *after, transpose_b=True)
    at_once = max(k for k in range(1, AT_ONCE + 1) if t % k == 0) if t else 1

    def steps(first, rows, states):
        outputs = []
        for k in range(at_once):
            new = step(rows[k], states, product)
            if lengths is not None:
                alive = (first + k < lengths)[:, None]
                new = tuple(tf.where(alive, *pair) for pair in zip(new, states, strict=True))
                outputs.append(tf.where(alive, new[0], 0))
            else:
                outputs.append(new[0])
            states = new
        return tf.stack(outputs), states  # (at_once, n, units)

    if t == at_once:
        Y, states = steps(tf.constant(0, tf.int64), tf.unstack(P), states)
    else:
        turns = sizes_of(P)[0] // at_once
        rows = tf.reshape(P, (turns, at_once, *sizes_of(P)[1:]))
        rows = tf.TensorArray(P.dtype, turns).unstack(rows)
        shape = (at_once, *states[0].shape)
        outputs = tf.TensorArray(P.dtype, turns, element_shape=shape)

        def turn(k, outputs, states):
            first = tf.cast(k, tf.int64) * at_once
            Y, states = steps(first, tf.unstack(rows.read(k), at_once), states)
            return k + 1, outputs.write(k, Y), states

        _, outputs, states = tf.while_loop(
            lambda k, *_: k < turns,
            turn,
            (tf.constant(0), outputs, states),
            maximum_iterations=turns,
        )
        Y = outputs.stack()
        Y = tf.reshape(Y, (sizes_of(P)[0], *sizes_of(Y)[2:]))
    return tf.transpose(turned(Y, backwards, lengths), (1, 0, 2)), states


def turned(X, backwards, lengths):
    """`(t, n, d)` from the end of each sequence to its beginning, what is after it left there."""
    if not backwards:
        return X
    if lengths is None:
        return tf.reverse(X, [0])
    return tf.reverse_sequence(X, lengths, seq_axis=0, batch_axis=1)


@functools.cache
def in_one_graph(step, backwards, dtype, states, weights, has_lengths):
    """`along` as a function that TensorFlow runs as one graph, for inputs of all sizes."""
    matrix, vector = tf.TensorSpec((None, None), dtype), tf.TensorSpec((None,), dtype)
    signature: list[Any] = [
        tf.TensorSpec((None, None, None), dtype),
        (matrix,) * states,
        (matrix, matrix, vector, vector)[:weights],
    ]
    if has_lengths:
        signature.append(tf.TensorSpec((None,), tf.int64))
    return tf.function(functools.partial(along, step, backwards), input_signature=signature)


def forgetting(shape, dtype=None):
    """Keras' own beginning of an LSTM's bias: its forget gate is open."""
    gate = tf.zeros((shape[0] // 4,), dtype)
    return tf.concat([gate, gate + 1, gate, gate], 0)


def add_cell(layer, end, width):
    """Make the variables of a cell, as Keras' own begin; the names of those that there are."""
    rows = layer.gates * layer.units
    bias = forgetting if layer.step is lstm else "zeros"
    made = {
        "weight_ih": ((rows, width), "glorot_uniform"),
        "weight_hh": ((rows, layer.units), "orthogonal"),
        "bias_ih": ((rows,), bias),
        "bias_hh": ((rows,), "zeros"),
    }
    for part in PARTS if layer.use_bias else PARTS[:2]:
        shape, initializer = made[part]
        variable = layer.add_weight(name=part + end, shape=shape, initializer=initializer)
        setattr(layer, part + end, variable)


class Recurrent(Mixin):
    """A recurrent layer."""

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
    ):
        keras.layers.Layer.__init__(self, dtype=dtype)
        self.units, self.num_layers, self.bidirectional = units, num_layers, bidirectional
        self.return_state, self.use_bias = return_state, use_bias
        self.rate = dropout if num_layers > 1 else 0.0
        if self.rate:
            self.seed_generator = keras.random.SeedGenerator()
        parts = PARTS if use_bias else PARTS[:2]
        self.names = tuple(
            tuple(part + end for part in parts) for end in suffixes(num_layers, bidirectional)
        )
        if in_units is not None:
            self.build((None, None, in_units))

    def build(self, input_shape):
        widths = (input_shape[-1],) + (self.units * (1 + self.bidirectional),) * self.num_layers
        for end in suffixes(self.num_layers, self.bidirectional):
            add_cell(self, end, widths[int(end.split("_")[1][1:])])

    def call(self, X, states=None, lengths=None, training=None):
        if len(X.shape) != 3:
            raise self.misshapen(X.shape)
        eager = tf.executing_eagerly()
        if lengths is not None:
            lengths = tf.cast(lengths, tf.int64)
            if eager:
                self.check_lengths(lengths.numpy(), X.shape[1])
        n, shape = sizes_of(X)[0], (X.shape[0], X.shape[1], self.units)
        zeros = (tf.zeros((n, self.units), X.dtype),) * self.states if states is None else None
        given = states if self.states > 1 or states is None else (states,)
        last: list[Any] = []
        for layer in range(self.num_layers):
            if layer and self.rate and training:
                X = keras.random.dropout(X, self.rate, seed=self.seed_generator)
            outputs = []
            for backwards in (False, True)[: 1 + self.bidirectional]:
                weights = tuple(
                    tf.convert_to_tensor(getattr(self, each)) for each in self.names[len(last)]
                )
                before = zeros or tuple(tf.convert_to_tensor(each)[len(last)] for each in given)
                arguments = (X, before, weights, *(() if lengths is None else (lengths,)))
                if eager:
                    key = (X.dtype, self.states, len(weights), lengths is not None)
                    Y, after = in_one_graph(self.step, backwards, *key)(*arguments)
                else:
                    Y, after = along(self.step, backwards, *arguments)
                    Y.set_shape(shape)
                outputs.append(Y)
                last.append(after)
            X = outputs[0] if len(outputs) == 1 else tf.concat(outputs, -1)
        if not self.return_state:
            return X
        found = tuple(tf.stack(each) for each in zip(*last, strict=True))
        return X, found[0] if self.states == 1 else found


@ub.RNN.native("tensorflow")
class RNN(ub.RNN, Recurrent, keras.layers.Layer):
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
        self.step = STEPS[activation]
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
        )


@ub.LSTM.native("tensorflow")
class LSTM(ub.LSTM, Recurrent, keras.layers.Layer):
    step = staticmethod(lstm)


@ub.GRU.native("tensorflow")
class GRU(ub.GRU, Recurrent, keras.layers.Layer):
    step = staticmethod(gru)


class Cell(Mixin):
    """One step."""

    def __init__(self, units, *, use_bias=True, in_units=None, dtype=None):
        keras.layers.Layer.__init__(self, dtype=dtype)
        self.units, self.use_bias = units, use_bias
        if in_units is not None:
            self.build((None, in_units))

    def build(self, input_shape):
        add_cell(self, "", input_shape[-1])

    def call(self, X, states=None):
        if len(X.shape) != 2:
            raise self.misshapen(X.shape)
        if states is None:
            states = (tf.zeros((sizes_of(X)[0], self.units), X.dtype),) * self.states
        elif self.states == 1:
            states = (states,)
        x = tf.matmul(X, self.weight_ih, transpose_b=True)
        biases = (self.bias_ih, self.bias_hh) if self.use_bias else ()
        x = x + biases[0] if biases else x
        after = self.step(x, states, affine(self.weight_hh, *biases[1:], transpose_b=True))
        return after[0] if self.states == 1 else after


@ub.RNNCell.native("tensorflow")
class RNNCell(ub.RNNCell, Cell, keras.layers.Layer):
    def __init__(self, units, *, activation="tanh", use_bias=True, in_units=None, dtype=None):
        self.step = STEPS[activation]
        Cell.__init__(self, units, use_bias=use_bias, in_units=in_units, dtype=dtype)


@ub.LSTMCell.native("tensorflow")
class LSTMCell(ub.LSTMCell, Cell, keras.layers.Layer):
    step = staticmethod(lstm)


@ub.GRUCell.native("tensorflow")
class GRUCell(ub.GRUCell, Cell, keras.layers.Layer):
    step = staticmethod(gru)
