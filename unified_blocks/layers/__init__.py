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
from unified_blocks.layers.dropout import Dropout
from unified_blocks.layers.embedding import Embedding
from unified_blocks.layers.flatten import Flatten
from unified_blocks.layers.function import Lambda
from unified_blocks.layers.group_norm import GroupNorm, InstanceNorm
from unified_blocks.layers.layer_norm import LayerNorm, RMSNorm
from unified_blocks.layers.response_norm import LocalResponseNorm

__all__ = [
    "ELU",
    "GELU",
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
    "GroupNorm",
    "HardSigmoid",
    "HardSwish",
    "InstanceNorm",
    "Lambda",
    "LayerNorm",
    "LeakyReLU",
    "LocalResponseNorm",
    "LogSoftmax",
    "Mish",
    "MultiHeadAttention",
    "PReLU",
    "RMSNorm",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
]
