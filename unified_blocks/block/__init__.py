"""What a block is, and how its class becomes a native class of a framework."""

from unified_blocks.block.block import (
    Block,
    argument,
    arguments_of,
    followers,
    portable_class,
    record_cast,
)

__all__ = ["Block", "argument", "arguments_of", "followers", "portable_class", "record_cast"]
