"""The blocks as Gluon blocks: `from unified_blocks_mxnet import MLP`."""

from unified_blocks_mxnet.backend import MXNetBackend

BACKEND = MXNetBackend()  # before the native classes, which register with it

from unified_blocks_mxnet import neural_ops as neural_ops  # it registers the operations
from unified_blocks_mxnet.activations import PReLU, ReLU, Sigmoid, Softsign, Tanh
from unified_blocks_mxnet.attention import MultiHeadAttention
from unified_blocks_mxnet.convolutions import Conv1D, Conv2D, Conv3D
from unified_blocks_mxnet.fixed_hidden_mlp import FixedHiddenMLP
from unified_blocks_mxnet.layers import Dense, Dropout, Embedding, Flatten
from unified_blocks_mxnet.mlp import MLP
from unified_blocks_mxnet.my_sequential import MySequential
from unified_blocks_mxnet.nest_mlp import NestMLP
from unified_blocks_mxnet.norms import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    RMSNorm,
)

__all__ = [
    "BACKEND",
    "MLP",
    "BatchNorm",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Dense",
    "Dropout",
    "Embedding",
    "FixedHiddenMLP",
    "Flatten",
    "GroupNorm",
    "InstanceNorm",
    "LayerNorm",
    "LocalResponseNorm",
    "MultiHeadAttention",
    "MySequential",
    "NestMLP",
    "PReLU",
    "RMSNorm",
    "ReLU",
    "Sigmoid",
    "Softsign",
    "Tanh",
]
