"""The blocks as Gluon blocks: `from unified_blocks_mxnet import MLP`."""

from unified_blocks_mxnet.backend import MXNetBackend

BACKEND = MXNetBackend()  # before the native classes, which register with it

from unified_blocks_mxnet import neural_ops as neural_ops  # it registers the operations
from unified_blocks_mxnet.activations import ReLU, Sigmoid, Softsign, Tanh
from unified_blocks_mxnet.convolutions import Conv1D, Conv2D, Conv3D
from unified_blocks_mxnet.fixed_hidden_mlp import FixedHiddenMLP
from unified_blocks_mxnet.layers import Dense, Dropout, Embedding, Flatten
from unified_blocks_mxnet.mlp import MLP
from unified_blocks_mxnet.my_sequential import MySequential
from unified_blocks_mxnet.nest_mlp import NestMLP
from unified_blocks_mxnet.norms import BatchNorm, LayerNorm
from unified_blocks_mxnet.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

__all__ = [
    "BACKEND",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "BatchNorm",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Dense",
    "Dropout",
    "Embedding",
    "FixedHiddenMLP",
    "Flatten",
    "GRUCell",
    "LSTMCell",
    "LayerNorm",
    "MySequential",
    "NestMLP",
    "RNNCell",
    "ReLU",
    "Sigmoid",
    "Softsign",
    "Tanh",
]
