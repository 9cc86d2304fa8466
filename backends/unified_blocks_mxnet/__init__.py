"""The blocks as Gluon blocks: `from unified_blocks_mxnet import MLP`."""

from unified_blocks_mxnet.backend import MXNetBackend

BACKEND = MXNetBackend()  # before the native classes, which register with it

from unified_blocks_mxnet import neural_ops as neural_ops  # it registers the operations
from unified_blocks_mxnet.activations import PReLU, ReLU, Sigmoid, Softsign, Tanh
from unified_blocks_mxnet.attention import MultiHeadAttention
from unified_blocks_mxnet.convolutions import Conv1D, Conv2D, Conv3D
from unified_blocks_mxnet.depthwise import DepthwiseConv2D
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
from unified_blocks_mxnet.padding import (
    ReflectPad1D,
    ReflectPad2D,
    ReflectPad3D,
    ZeroPad1D,
    ZeroPad2D,
    ZeroPad3D,
)
from unified_blocks_mxnet.pooling import (
    AdaptiveAvgPool2D,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
)
from unified_blocks_mxnet.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from unified_blocks_mxnet.resizing import PixelShuffle, UpSampling2D
from unified_blocks_mxnet.transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose

__all__ = [
    "BACKEND",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "AdaptiveAvgPool2D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNorm",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Embedding",
    "FixedHiddenMLP",
    "Flatten",
    "GRUCell",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GroupNorm",
    "InstanceNorm",
    "LSTMCell",
    "LayerNorm",
    "LocalResponseNorm",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MultiHeadAttention",
    "MySequential",
    "NestMLP",
    "PReLU",
    "PixelShuffle",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "ReflectPad1D",
    "ReflectPad2D",
    "ReflectPad3D",
    "Sigmoid",
    "Softsign",
    "Tanh",
    "UpSampling2D",
    "ZeroPad1D",
    "ZeroPad2D",
    "ZeroPad3D",
]
