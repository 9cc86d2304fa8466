"""The blocks as Keras models: `from unified_blocks_tensorflow import MLP`."""

import os

from unified_blocks.backend.registry import in_command

if in_command():  # TensorFlow reads these when it is imported; what the user has set stays
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # memory is left to others

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "Keras must run on its TensorFlow backend; it was set to "
        f"{keras.backend.backend()!r}: unset KERAS_BACKEND, or set it to tensorflow"
    )

from unified_blocks_tensorflow.backend import TensorFlowBackend

BACKEND = TensorFlowBackend()  # before the native classes, which register with it

from unified_blocks_tensorflow import neural_ops as neural_ops  # they register the operations
from unified_blocks_tensorflow import turned_ops as turned_ops
from unified_blocks_tensorflow.activations import (
    ELU,
    GELU,
    SELU,
    HardSigmoid,
    HardSwish,
    LeakyReLU,
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
from unified_blocks_tensorflow.attention import MultiHeadAttention
from unified_blocks_tensorflow.convolutions import Conv1D, Conv2D, Conv3D
from unified_blocks_tensorflow.depthwise import DepthwiseConv2D
from unified_blocks_tensorflow.fixed_hidden_mlp import FixedHiddenMLP
from unified_blocks_tensorflow.layers import Dense, Dropout, Embedding, Flatten
from unified_blocks_tensorflow.mlp import MLP
from unified_blocks_tensorflow.my_sequential import MySequential
from unified_blocks_tensorflow.nest_mlp import NestMLP
from unified_blocks_tensorflow.norms import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    RMSNorm,
)
from unified_blocks_tensorflow.padding import (
    ReflectPad1D,
    ReflectPad2D,
    ReflectPad3D,
    ZeroPad1D,
    ZeroPad2D,
    ZeroPad3D,
)
from unified_blocks_tensorflow.pooling import (
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
from unified_blocks_tensorflow.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from unified_blocks_tensorflow.registration import register_every_block
from unified_blocks_tensorflow.resizing import PixelShuffle, UpSampling2D
from unified_blocks_tensorflow.transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose

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
    "HardSigmoid",
    "HardSwish",
    "InstanceNorm",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "LocalResponseNorm",
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
    "Softplus",
    "Softsign",
    "Tanh",
    "UpSampling2D",
    "ZeroPad1D",
    "ZeroPad2D",
    "ZeroPad3D",
]

register_every_block(BACKEND)
