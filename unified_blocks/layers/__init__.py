"""Layers that compute the same on every framework."""

from unified_blocks.layers.activations import (
    ELU,
    GELU,
    SELU,
    Activation,
    HardSigmoid,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from unified_blocks.layers.batch_norm import BatchNorm
from unified_blocks.layers.convolutions import Conv1D, Conv2D, Conv3D
from unified_blocks.layers.dense import Dense
from unified_blocks.layers.dropout import Dropout
from unified_blocks.layers.embedding import Embedding
from unified_blocks.layers.flatten import Flatten
from unified_blocks.layers.function import Lambda
from unified_blocks.layers.layer_norm import LayerNorm
from unified_blocks.layers.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "Activation",
    "BatchNorm",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "HardSigmoid",
    "LSTMCell",
    "Lambda",
    "LayerNorm",
    "LeakyReLU",
    "LogSoftmax",
    "RNNCell",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
]
