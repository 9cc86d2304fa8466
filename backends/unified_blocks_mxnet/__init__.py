"""The blocks as Gluon blocks: `from unified_blocks_mxnet import MLP`."""

from unified_blocks_mxnet.backend import MXNetBackend

BACKEND = MXNetBackend()  # before the native classes, which register with it

from unified_blocks_mxnet.fixed_hidden_mlp import FixedHiddenMLP
from unified_blocks_mxnet.layers import Dense, ReLU
from unified_blocks_mxnet.mlp import MLP
from unified_blocks_mxnet.my_sequential import MySequential
from unified_blocks_mxnet.nest_mlp import NestMLP

__all__ = ["BACKEND", "MLP", "Dense", "FixedHiddenMLP", "MySequential", "NestMLP", "ReLU"]
