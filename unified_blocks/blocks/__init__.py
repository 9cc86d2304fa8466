"""The blocks of the book "Dive into Deep Learning" and of its exercises."""

from unified_blocks.blocks.fixed_hidden_mlp import FixedHiddenMLP
from unified_blocks.blocks.mlp import MLP
from unified_blocks.blocks.my_sequential import MySequential
from unified_blocks.blocks.nest_mlp import NestMLP
from unified_blocks.blocks.parallel import Parallel
from unified_blocks.blocks.repeat import repeat

__all__ = ["MLP", "FixedHiddenMLP", "MySequential", "NestMLP", "Parallel", "repeat"]
