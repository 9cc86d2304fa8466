"""Recurrent layers: even and odd numbers of steps, layers, directions, without biases, cells."""

from __future__ import annotations

import unified_blocks as ub
from pytest_unified_blocks.layer_cases.case import LayerCase

SEQUENCE = ((2, 3, 2), (1, 4, 3), (3, 17, 1))
STEP = ((2, 3), (1, 1))

RECURRENT = {
    "RNN": LayerCase(lambda: ub.RNN(3), SEQUENCE),
    "RNN relu": LayerCase(lambda: ub.RNN(2, activation="relu"), ((2, 3, 2), (1, 4, 3))),
    "RNN no bias": LayerCase(lambda: ub.RNN(2, use_bias=False), SEQUENCE),
    "LSTM": LayerCase(lambda: ub.LSTM(3), SEQUENCE),
    "LSTM in": LayerCase(lambda: ub.LSTM(1, in_units=2), ((2, 3, 2),)),
    "LSTM no bias": LayerCase(lambda: ub.LSTM(2, 2, use_bias=False), SEQUENCE),
    "LSTM deep both ways": LayerCase(lambda: ub.LSTM(2, 2, bidirectional=True), SEQUENCE),
    "GRU": LayerCase(lambda: ub.GRU(3), SEQUENCE),
    "GRU both ways": LayerCase(lambda: ub.GRU(2, bidirectional=True), SEQUENCE),
    "GRU deep": LayerCase(lambda: ub.GRU(2, 3, dropout=0.5), SEQUENCE),
    "GRU no bias": LayerCase(lambda: ub.GRU(2, use_bias=False), SEQUENCE),
    "RNNCell": LayerCase(lambda: ub.RNNCell(3), STEP),
    "RNNCell relu": LayerCase(lambda: ub.RNNCell(3, activation="relu"), STEP),
    "GRUCell": LayerCase(lambda: ub.GRUCell(3), STEP),
    "GRUCell no bias": LayerCase(lambda: ub.GRUCell(3, use_bias=False, in_units=3), ((2, 3),)),
}
