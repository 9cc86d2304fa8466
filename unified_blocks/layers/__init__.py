"""Layers that are the same on every framework."""

from unified_blocks.layers.dense import Dense
from unified_blocks.layers.relu import ReLU

__all__ = ["Dense", "ReLU"]
