"""The blocks as PyTorch modules: `from unified_blocks_torch import MLP`."""

from unified_blocks_torch.backend import TorchBackend

BACKEND = TorchBackend()  # before the native classes, which register with it

from unified_blocks_torch.fixed_hidden_mlp import FixedHiddenMLP
from unified_blocks_torch.layers import Dense, ReLU
from unified_blocks_torch.mlp import MLP
from unified_blocks_torch.my_sequential import MySequential
from unified_blocks_torch.nest_mlp import NestMLP

__all__ = ["BACKEND", "MLP", "Dense", "FixedHiddenMLP", "MySequential", "NestMLP", "ReLU"]
