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

__all__ = [
    "BACKEND",
    "ELU",
    "GELU",
    "MLP",
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
    "GroupNorm",
    "HardSwish",
    "InstanceNorm",
    "LayerNorm",
    "LeakyReLU",
    "LocalResponseNorm",
    "LogSoftmax",
    "Mish",
    "MultiHeadAttention",
    "MySequential",
    "NestMLP",
    "PReLU",
    "RMSNorm",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softsign",
    "Tanh",
]
