"""The files of a folder in which each registers what it knows: handlers, and words."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module


@cache
def load_families(package: str) -> None:
    """Import each module of a package, once."""
    for module in pkgutil.iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")
