"""The blocks as PyTorch modules: `from unified_blocks_torch import MLP`."""

from unified_blocks_torch.backend import TorchBackend

BACKEND = TorchBackend()  # before the native classes, which register with it

from unified_blocks_torch import neural_ops as neural_ops  # it registers the operations
from unified_blocks_torch.activations import (
    ELU,
    GELU,
    SELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softsign,
    Tanh,
)
from unified_blocks_torch.convolutions import Conv1D, Conv2D, Conv3D
from unified_blocks_torch.fixed_hidden_mlp import FixedHiddenMLP
from unified_blocks_torch.layers import Dense, Dropout, Embedding, Flatten
from unified_blocks_torch.mlp import MLP
from unified_blocks_torch.my_sequential import MySequential
from unified_blocks_torch.nest_mlp import NestMLP
from unified_blocks_torch.norms import BatchNorm, LayerNorm
from unified_blocks_torch.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

__all__ = [
    "BACKEND",
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "SELU",
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
    "LeakyReLU",
    "LogSoftmax",
    "MySequential",
    "NestMLP",
    "RNNCell",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softsign",
    "Tanh",
]
