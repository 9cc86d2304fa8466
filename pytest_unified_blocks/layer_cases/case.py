"""A layer, and the shapes that it is tried with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import unified_blocks as ub

Shape = tuple[int, ...]


@dataclass(frozen=True)
class LayerCase:
    """A layer with arguments that matter to what it computes.

    Attributes:
        make: makes it, on the default backend in the default dtype.
        shapes: of inputs; gradients and graphs are tried with the first.
    """

    make: Callable[[], Any]
    shapes: tuple[Shape, ...] = ((4, 6), (4, 6, 3))


def made(make: Callable[[], Any], shape: Sequence[int], dtype: str = "float64") -> Any:
    """The layer, with random numbers, its variances positive."""
    with ub.use_dtype(dtype):
        net = ub.build(make(), shape)
    generator = np.random.default_rng(2)
    drawn = {k: generator.uniform(0.5, 1.5, a.shape) for k, a in ub.state(net).items()}
    return ub.load_state(net, {name: array.astype(dtype) for name, array in drawn.items()})
