"""Operations on each number by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.porting.operations.operation import Given, Operation, Same
from unified_blocks.reference.numpy_ops import ACTIVATE, erf
from unified_blocks.types import Array

UNARY: dict[str, Callable[[Array], Array]] = {
    **{str(name): function for name, function in ACTIVATE.items() if name},
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "square": np.square,
    "abs": np.abs,
    "negative": np.negative,
    "floor": np.floor,
    "ceil": np.ceil,
    "sign": np.sign,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "erf": erf,
    "trunc": np.trunc,
    "expm1": np.expm1,
    "log1p": np.log1p,
    "log2": np.log2,
    "log10": np.log10,
    "rsqrt": lambda X: 1 / np.sqrt(X),
    "reciprocal": lambda X: 1 / X,
    "log_sigmoid": lambda X: -ACTIVATE["softplus"](-X),
}
BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "power": np.power,
    "modulo": np.mod,
    "quotient": lambda X, Y: np.sign(X) * np.sign(Y) * (np.abs(X) // np.abs(Y)),
}
"""`quotient` is of whole numbers, cut towards zero."""
COMPARISONS: dict[str, Callable[..., Array]] = {
    "equal": np.equal,
    "not_equal": np.not_equal,
    "greater": np.greater,
    "less": np.less,
    "greater_equal": np.greater_equal,
    "less_equal": np.less_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "logical_not": np.logical_not,
}
"""Give booleans, of which a `Cast` makes numbers."""


@dataclass(frozen=True)
class Elementwise(Operation):
    """A function of one number or two; two that differ in shape are broadcast.

    Attributes:
        function: a key of `UNARY`, `BINARY` or `COMPARISONS`.
    """

    function: str

    def infer(self, *inputs: Any) -> Given:
        shape = np.broadcast_shapes(*(each.shape for each in inputs))
        if self.function in COMPARISONS:
            return [(shape, "bool")]
        wide = [each.dtype for each in inputs if each.shape] or [inputs[0].dtype]
        return [(shape, np.result_type(*wide).name)]

    def compute(self, *arrays: Array) -> Array:
        for table in (UNARY, BINARY, COMPARISONS):
            if self.function in table:
                return np.asarray(table[self.function](*arrays))
        raise NotImplementedError(self.function)


@dataclass(frozen=True)
class Clip(Same):
    """Numbers brought between two."""

    low: float
    high: float

    def compute(self, *arrays: Array) -> Array:
        return np.clip(arrays[0], self.low, self.high)


@dataclass(frozen=True)
class Dropout(Same):
    """Numbers left out at random in training; otherwise what it takes.

    Attributes:
        rate: the share that is left out.
        axes: along which the same are left out.
    """

    rate: float
    axes: tuple[int, ...] = ()

    def compute(self, *arrays: Array) -> Array:
        return arrays[0]


@dataclass(frozen=True)
class StopGradient(Same):
    """What it takes; training does not go on before it."""

    def compute(self, *arrays: Array) -> Array:
        return arrays[0]


@dataclass(frozen=True)
class Cast(Operation):
    """Numbers in another dtype; fractions are cut to whole numbers towards zero."""

    dtype: str

    def infer(self, *inputs: Any) -> Given:
        return [(inputs[0].shape, self.dtype)]

    def compute(self, *arrays: Array) -> Array:
        return arrays[0].astype(self.dtype)


@dataclass(frozen=True)
class Where(Operation):
    """A number of the second where the first is true, else of the third; all are broadcast."""

    def infer(self, *inputs: Any) -> Given:
        condition, x, y = inputs
        if condition.dtype != "bool":
            raise ValueError(f"a condition of {condition.dtype}")
        wide = [each.dtype for each in (x, y) if each.shape] or [x.dtype]
        shape = np.broadcast_shapes(condition.shape, x.shape, y.shape)
        return [(shape, np.result_type(*wide).name)]

    def compute(self, *arrays: Array) -> Array:
        condition, x, y = arrays
        return np.where(condition, x, y)
