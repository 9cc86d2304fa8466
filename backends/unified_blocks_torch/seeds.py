"""Seeds of what models of PyTorch draw when they are called."""

from __future__ import annotations

from typing import Any

from unified_blocks.errors import UnsupportedError


def seed(net: Any, number: int) -> None:
    """See `Backend.seed`."""
    raise UnsupportedError(
        "to be seeded, a model must be of a framework for which that is possible here; got a "
        f"{type(net).__name__} of PyTorch, for which it is not yet, and the seed {number}: seed "
        "PyTorch itself"
    )
