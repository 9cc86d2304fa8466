"""Losses of MXNet of which each sample has a weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unified_blocks.backend import Loss
from unified_blocks.errors import UnsupportedError


def weighted_loss(loss: Loss) -> Callable[..., Any]:
    """See `Backend.weighted_loss`."""
    raise UnsupportedError(
        f"weights of samples must be for a loss that takes them; got loss={loss!r} on MXNet, "
        "where none does yet: leave the weights out"
    )
