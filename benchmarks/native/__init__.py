"""The same networks, written by hand for one framework, as its users write them.

Each module has the same names: the blocks with the constructors of the library's, `stack` for
layers one after the other, `inference`, inside which a plain call is timed, `compiled`, which
makes a graph of a network, and `training_step`, which trains any model of the framework, the
library's too. The networks of images and sequences are in modules beside them.
"""

from __future__ import annotations

import importlib
from typing import Any

RATE = 2.0**-24  # so small that hundreds of steps leave the numbers, and so the work, as they are
MOMENTUM = 0.875


def by_hand(framework: str) -> Any:
    """The module of that framework."""
    return importlib.import_module(f"benchmarks.native.with_{framework}")


def network_by_hand(framework: str) -> Any:
    """The module of that framework with networks of images and sequences."""
    return importlib.import_module(f"benchmarks.native.networks_with_{framework}")
