"""Mistakes in the recurrent layers: one for each argument that changes what they compute."""

from __future__ import annotations

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants import transfers
from testbed.mutants.checks import Checked, Compared, numbered
from testbed.mutants.table.mutant import Mutant
from testbed.recurrent import evaluated, plain

SEQUENCE = normal(3, 5, 6, dtype="float64")


def caught(make, first="0", mode="forward"):
    return Compared(lambda: ub.MySequential(make()), first, "unknown", mode, SEQUENCE)


def lengths_and_states(backend_name):
    """With lengths and initial states, what the reference in NumPy gives, the last states too."""
    lengths = np.array([5, 2, 1])
    for make in (ub.LSTM, ub.GRU):
        with ub.use_dtype("float64"):
            net = make(3, bidirectional=True, return_state=True)
        numbered(ub.build(net, (1, 2, 6)))
        one = normal(2, 3, 3, dtype="float64")
        states = (one, 2 * one) if make is ub.LSTM else one
        for inputs in ((SEQUENCE, states), (SEQUENCE, None, lengths), (SEQUENCE, states, lengths)):
            expected = plain(net.reference(ub.state(net), *inputs))
            for found, wanted in zip(evaluated(net, *inputs), expected, strict=True):
                np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


RECURRENT = [
    Mutant(
        "an RNN with Gluon's activation",
        "torch",
        "unified_blocks_torch.recurrent:RNN.__init__",
        "nonlinearity=activation",
        'nonlinearity="relu"',
        caught(lambda: ub.RNN(4)),
    ),
    Mutant(
        "an RNN with Gluon's activation",
        "tensorflow",
        "unified_blocks_tensorflow.recurrent:RNN.__init__",
        "STEPS[activation]",
        'STEPS["relu"]',
        caught(lambda: ub.RNN(4)),
    ),
    Mutant(
        "an RNN with Gluon's activation",
        "mxnet",
        "unified_blocks_mxnet.recurrent:RNN.__init__",
        "activation=activation",
        'activation="relu"',
        caught(lambda: ub.RNN(4)),
    ),
    Mutant(
        "a sequence along the axis of the batch",
        "torch",
        "unified_blocks_torch.recurrent:Recurrent.__init__",
        "batch_first=True",
        "batch_first=False",
        caught(lambda: ub.LSTM(4)),
    ),
    Mutant(
        "an LSTM with the output gate before the others",
        "tensorflow",
        "unified_blocks_tensorflow.recurrent:lstm",
        "i, f, g, o = tf.split",
        "o, f, g, i = tf.split",
        caught(lambda: ub.LSTM(4)),
    ),
    Mutant(
        "a GRU that resets before the product's bias",
        "tensorflow",
        "unified_blocks_tensorflow.recurrent:along",
        "biases[1:] if step is gru else []",
        "[]",
        caught(lambda: ub.GRU(4)),
    ),
    Mutant(
        "a GRU whose update gate is the other way round",
        "tensorflow",
        "unified_blocks_tensorflow.recurrent:gru",
        "* (states[0] - n)",
        "* (n - states[0])",
        caught(lambda: ub.GRU(4)),
    ),
    Mutant(
        "a layer that reads ahead twice",
        "tensorflow",
        "unified_blocks_tensorflow.recurrent:turned",
        "if not backwards:",
        "if True:",
        caught(lambda: ub.GRU(4, bidirectional=True)),
    ),
    Mutant(
        "dropout in inference",
        "tensorflow",
        "unified_blocks_tensorflow.recurrent:Recurrent.call",
        "if layer and self.rate and training:",
        "if layer and self.rate:",
        caught(lambda: ub.GRU(4, 2, dropout=0.5)),
    ),
    Mutant(
        "what comes after a sequence is read",
        "tensorflow",
        "unified_blocks_tensorflow.recurrent:along",
        "(first + k < lengths)",
        "(first + k <= lengths)",
        Checked(lengths_and_states),
    ),
    Mutant(
        "a sequence is turned round with what is after it",
        "tensorflow",
        "unified_blocks_tensorflow.recurrent:turned",
        "if lengths is None:",
        "if True:",
        Checked(lengths_and_states),
    ),
    Mutant(
        "what is after a sequence is given",
        "torch",
        "unified_blocks_torch.recurrent:Recurrent.forward",
        "lengths = lengths.cpu()",
        "lengths = lengths.cpu() * 0 + X.shape[1]",
        Checked(lengths_and_states),
    ),
    Mutant(
        "initial states are left out",
        "torch",
        "unified_blocks_torch.recurrent:Recurrent.forward",
        "self.own.forward(self, X, states)",
        "self.own.forward(self, X, None)",
        Checked(lengths_and_states),
    ),
    Mutant(
        "what comes after a sequence is read",
        "mxnet",
        "unified_blocks_mxnet.recurrent:Recurrent.along",
        "if lengths is not None:",
        "if False:",
        Checked(lengths_and_states),
    ),
    Mutant(
        "a sequence is turned round with what is after it",
        "mxnet",
        "unified_blocks_mxnet.recurrent:turned",
        "if lengths is None:",
        "if True:",
        Checked(lengths_and_states),
    ),
    Mutant(
        "the gates of Keras' GRU in its own order",
        "tensorflow",
        "unified_blocks_tensorflow.recurrent_families:Rows.ordered",
        "[second, first, third]",
        "[first, second, third]",
        Checked(transfers.a_gru_of_keras_computes_the_same),
    ),
    Mutant(
        "one of two biases in the place of their sum",
        "tensorflow",
        "unified_blocks_tensorflow.recurrent_families:Term.merged",
        "before + array if self.is_zero else array",
        "array",
        Checked(transfers.an_lstm_of_keras_computes_the_same),
    ),
]
