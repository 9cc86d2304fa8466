"""The blocks as PyTorch modules: `from unified_blocks_torch import MLP`."""

from unified_blocks_torch.backend import TorchBackend
from unified_blocks_torch.fixed_hidden_mlp import FixedHiddenMLP
from unified_blocks_torch.layers import Dense, ReLU
from unified_blocks_torch.mlp import MLP
from unified_blocks_torch.my_sequential import MySequential
from unified_blocks_torch.nest_mlp import NestMLP

__all__ = ["MLP", "Dense", "FixedHiddenMLP", "MySequential", "NestMLP", "ReLU"]

BACKEND = TorchBackend()
for _native in (MLP, MySequential, FixedHiddenMLP, NestMLP, Dense, ReLU):
    BACKEND.native_classes.add(_native)
