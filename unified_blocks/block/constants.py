"""`Constant`: numbers that a block holds and that are not trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unified_blocks.dtypes import default_dtype, dtype_name, variable_dtype
from unified_blocks.errors import UnsupportedError
from unified_blocks.types import Array

if TYPE_CHECKING:
    from collections.abc import Callable

INITIALIZERS = ("uniform", "normal")
"""`"uniform"` is U[0, 1), `"normal"` is N(0, 1)."""


class Constant:
    """Numbers that are saved, loaded and moved with a block, but never trained.

    Assign it to an attribute of a block; reading that attribute in `forward` gives a tensor of the
    block's framework (or a symbol, while MXNet makes a graph).

    Args:
        value: a number or an array.
        shape: of a constant that is drawn at random.
        initializer: how: `"uniform"` from U[0, 1), `"normal"` from N(0, 1). `ub.initialize` draws
            such a constant anew, and leaves all others as they are.
        dtype: floating-point type; default: that of `use_dtype`, or float32. Integers become
            floating-point numbers.

    Raises:
        TypeError: neither `value` nor `shape`, or both.
        ValueError: an unknown initializer.

    Example::

        class Scaled(ub.Block):
            def __init__(self, units):
                super().__init__()
                self.body = ub.Dense(units)
                self.scale = ub.Constant(0.5)

            def forward(self, X):
                return self.scale * self.body(X)
    """

    def __init__(
        self,
        value: Any = None,
        *,
        shape: Any = None,
        initializer: str = "uniform",
        dtype: Any = None,
    ) -> None:
        if (value is None) == (shape is None):
            given = "neither" if value is None else "both"
            raise TypeError(f"Constant must be given a value or a shape; got {given}")
        if initializer not in INITIALIZERS:
            raise ValueError(
                f"Constant: initializer must be one of {', '.join(INITIALIZERS)}; "
                f"got initializer={initializer!r}"
            )
        self.value, self.shape, self.dtype = value, shape, dtype
        self.initializer = initializer if value is None else None

    def array(self) -> Array:
        """The numbers.

        Raises:
            UnsupportedError: for bfloat16, unless a package has added it to NumPy.
        """
        dtype = variable_dtype(default_dtype() if self.dtype is None else dtype_name(self.dtype))
        try:
            np.dtype(dtype)
        except TypeError:
            raise UnsupportedError(
                f"Constant: NumPy has no dtype {dtype}, and a constant must have a NumPy dtype; "
                f'got dtype={dtype}: make the block in float32, and then ub.cast(net, "{dtype}")'
            ) from None
        if self.initializer is None:
            return np.array(self.value, dtype)
        return draw(self.initializer)(np.random.default_rng(), self.shape).astype(dtype)


def draw(initializer: str) -> Callable[[np.random.Generator, tuple[int, ...]], Array]:
    """The distribution that an initializer stands for."""
    if initializer == "uniform":
        return lambda generator, shape: np.asarray(generator.random(shape))
    return lambda generator, shape: np.asarray(generator.normal(size=shape))
