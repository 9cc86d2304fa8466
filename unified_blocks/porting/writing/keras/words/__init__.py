"""How each operation is written for Keras, in files as the operations are."""

from __future__ import annotations

import importlib
import pkgutil


def load_words() -> None:
    """Import every word of this room."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
