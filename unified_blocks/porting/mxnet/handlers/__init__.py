"""What each operator of MXNet means, one family a file."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module


@cache
def load_handlers() -> None:
    """Import each family, which registers its handlers."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
