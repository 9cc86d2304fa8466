"""The class `Block`, and how a block class becomes a native class of each framework."""

from unified_blocks.block.block import (
    Block,
    argument,
    arguments_of,
    followers,
    note_cast,
    portable_class,
)

__all__ = ["Block", "argument", "arguments_of", "followers", "note_cast", "portable_class"]
