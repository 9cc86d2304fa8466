"""What a block is, and how its class becomes a native class of a framework."""

from unified_blocks.block.block import (
    Block,
    argument,
    arguments_of,
    followers,
    note_cast,
    portable_class,
)

__all__ = ["Block", "argument", "arguments_of", "followers", "note_cast", "portable_class"]
