"""The processes and devices with which PyTorch trains one model."""

from __future__ import annotations

from typing import Any

from unified_blocks.backend import Group
from unified_blocks.errors import UnsupportedError


def join(how: Any) -> Group | None:
    """See `Backend.join`."""
    if how not in ("auto", None):
        raise UnsupportedError(
            f"distributed must be None or 'auto'; got distributed={how!r} on PyTorch, where "
            "processes are not joined yet: leave it out"
        )
    return None
