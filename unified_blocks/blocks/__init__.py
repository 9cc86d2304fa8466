"""The four blocks of the book: meaning, shapes, parameters and NumPy reference of each."""

from unified_blocks.blocks.fixed_hidden_mlp import FixedHiddenMLP
from unified_blocks.blocks.mlp import MLP
from unified_blocks.blocks.my_sequential import MySequential
from unified_blocks.blocks.nest_mlp import NestMLP

__all__ = ["MLP", "FixedHiddenMLP", "MySequential", "NestMLP"]
