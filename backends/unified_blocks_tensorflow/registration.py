"""Every block class is known to Keras, so that `keras.models.load_model` finds it."""

from __future__ import annotations

from collections.abc import Iterator

from unified_blocks.backend import Backend
from unified_blocks.backend.registry import owner_of_class
from unified_blocks.block import Block, followers
from unified_blocks.block.native_classes import native_classes


def register_every_block(backend: Backend) -> None:
    """Make the native class of every block class, of those defined later too."""

    def register(block: type[Block]) -> None:
        written_natively = owner_of_class(block) is not None
        if hasattr(block, "forward") and not written_natively:
            native_classes(backend).get(block)

    for block in list(subclasses(Block)):
        register(block)
    followers.append(register)


def subclasses(cls: type[Block]) -> Iterator[type[Block]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from subclasses(subclass)
