"""Layers that compute the same on every framework."""

from unified_blocks.layers.activations import (
    ELU,
    GELU,
    SELU,
    Activation,
    HardSigmoid,
    HardSwish,
    LeakyReLU,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from unified_blocks.layers.attention import MultiHeadAttention
from unified_blocks.layers.batch_norm import BatchNorm
from unified_blocks.layers.convolutions import Conv1D, Conv2D, Conv3D
from unified_blocks.layers.dense import Dense
from unified_blocks.layers.depthwise import DepthwiseConv2D, SeparableConv2D
from unified_blocks.layers.dropout import Dropout
from unified_blocks.layers.embedding import Embedding
from unified_blocks.layers.flatten import Flatten
from unified_blocks.layers.function import Lambda
from unified_blocks.layers.group_norm import GroupNorm, InstanceNorm
from unified_blocks.layers.layer_norm import LayerNorm, RMSNorm
from unified_blocks.layers.padding import (
    ReflectPad1D,
    ReflectPad2D,
    ReflectPad3D,
    ZeroPad1D,
    ZeroPad2D,
    ZeroPad3D,
)
from unified_blocks.layers.pooling import (
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
from unified_blocks.layers.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from unified_blocks.layers.resizing import PixelShuffle, UpSampling2D
from unified_blocks.layers.response_norm import LocalResponseNorm
from unified_blocks.layers.transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "Activation",
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
    "Flatten",
    "GRUCell",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GroupNorm",
    "HardSigmoid",
    "HardSwish",
    "InstanceNorm",
    "LSTMCell",
    "Lambda",
    "LayerNorm",
    "LeakyReLU",
    "LocalResponseNorm",
    "LogSoftmax",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "Mish",
    "MultiHeadAttention",
    "PReLU",
    "PixelShuffle",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "ReLU6",
    "ReflectPad1D",
    "ReflectPad2D",
    "ReflectPad3D",
    "SeparableConv2D",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
    "UpSampling2D",
    "ZeroPad1D",
    "ZeroPad2D",
    "ZeroPad3D",
]
