"""The blocks as PyTorch modules: `from unified_blocks_torch import MLP`."""

from unified_blocks_torch.backend import TorchBackend

BACKEND = TorchBackend()  # before the native classes, which register with it

from unified_blocks_torch import neural_ops as neural_ops  # it registers the operations
from unified_blocks_torch.activations import (
    ELU,
    GELU,
    SELU,
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
    Softsign,
    Tanh,
)
from unified_blocks_torch.attention import MultiHeadAttention
from unified_blocks_torch.convolutions import Conv1D, Conv2D, Conv3D
from unified_blocks_torch.depthwise import DepthwiseConv2D
from unified_blocks_torch.fixed_hidden_mlp import FixedHiddenMLP
from unified_blocks_torch.layers import Dense, Dropout, Embedding, Flatten
from unified_blocks_torch.mlp import MLP
from unified_blocks_torch.my_sequential import MySequential
from unified_blocks_torch.nest_mlp import NestMLP
from unified_blocks_torch.norms import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    RMSNorm,
)
from unified_blocks_torch.padding import (
    ReflectPad1D,
    ReflectPad2D,
    ReflectPad3D,
    ZeroPad1D,
    ZeroPad2D,
    ZeroPad3D,
)
from unified_blocks_torch.pooling import (
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
from unified_blocks_torch.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from unified_blocks_torch.resizing import PixelShuffle, UpSampling2D
from unified_blocks_torch.transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose

__all__ = [
    "BACKEND",
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "SELU",
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
    "HardSwish",
    "InstanceNorm",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "LocalResponseNorm",
    "LogSoftmax",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "Mish",
    "MultiHeadAttention",
    "MySequential",
    "NestMLP",
    "PReLU",
    "PixelShuffle",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "ReLU6",
    "ReflectPad1D",
    "ReflectPad2D",
    "ReflectPad3D",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softsign",
    "Tanh",
    "UpSampling2D",
    "ZeroPad1D",
    "ZeroPad2D",
    "ZeroPad3D",
]
