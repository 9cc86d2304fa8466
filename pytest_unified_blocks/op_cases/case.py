"""One operation as the tests know it, and functions that more than one topic needs."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks import ops
from unified_blocks.types import Array


@dataclass(frozen=True)
class OpCase:
    """An operation on arrays drawn from U[low, high).

    Attributes:
        call: calls it on tensors.
        meaning: the same on NumPy arrays.
        shapes: of its arguments.
        differentiable: whether its gradient is compared too, by differences.
    """

    name: str
    call: Callable[..., Any]
    meaning: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...] = ((3, 4),)
    low: float = -2.5
    high: float = 2.5
    differentiable: bool = True
    label: str = ""

    def arrays(self, dtype: str) -> list[Array]:
        generator = np.random.default_rng(5)
        return [
            generator.uniform(self.low, self.high, shape).astype(dtype) for shape in self.shapes
        ]


def unary(name, meaning, low=-2.5, high=2.5, differentiable=True):
    return OpCase(name, getattr(ops, name), meaning, ((3, 4),), low, high, differentiable)


def np_erf(x):
    return np.vectorize(math.erf)(x).astype(x.dtype)
