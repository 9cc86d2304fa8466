"""The distributions that random constants are drawn from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from unified_blocks.types import Array

if TYPE_CHECKING:  # naming numpy.random imports it, which takes as long as all the rest
    Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]

INITIALIZERS = ("uniform", "normal")
"""`"uniform"` is U[0, 1), `"normal"` is N(0, 1)."""


def draw(initializer: str) -> Draw:
    """The distribution that an initializer stands for."""
    if initializer == "uniform":
        return lambda generator, shape: np.asarray(generator.random(shape))
    return lambda generator, shape: np.asarray(generator.normal(size=shape))
