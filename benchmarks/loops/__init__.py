"""Training loops, written by hand for one framework, as its users write them.

Each module has `epoch_of`: it returns a function that trains a model for one epoch, with
cross-entropy and the framework's optimizer, on tensors in an order drawn from a NumPy generator.
Like `fit`, that function returns the mean loss of the epoch, read once at its end. The function of
`watched_epoch_of` also measures accuracies and validates, and that of `outputs_of` predicts.
"""

from __future__ import annotations

import importlib
from typing import Any

from benchmarks.native import MOMENTUM

OPTIONS = {"SGD": {"momentum": MOMENTUM}, "Adam": {}}
"""The arguments of each optimizer besides the learning rate."""


def loop_of(framework: str) -> Any:
    """The module of that framework."""
    return importlib.import_module(f"benchmarks.loops.with_{framework}")
