"""What each operator of MXNet means, one family a file."""

from __future__ import annotations

from unified_blocks.porting.families import load_families


def load_handlers() -> None:
    """Import each family, which registers its handlers."""
    load_families(__name__)
