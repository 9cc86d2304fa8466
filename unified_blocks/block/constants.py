"""`Constant`: numbers that a block holds and that are not trained."""

from __future__ import annotations

from collections.abc import Iterable
from operator import index
from typing import Any

import numpy as np

from unified_blocks.backend.drawing import INITIALIZERS
from unified_blocks.dtypes import default_dtype, dtype_name, variable_dtype
from unified_blocks.errors import UnsupportedError
from unified_blocks.types import Array


class Constant:
    """Numbers that are saved, loaded and moved with a block, but never trained.

    Assign it to an attribute of a block; reading that attribute in `forward` gives a tensor of the
    block's framework (or a symbol, while MXNet makes a graph).

    Args:
        value: a number or an array.
        shape: of a constant that is drawn at random.
        initializer: how: `"uniform"` from U[0, 1), `"normal"` from N(0, 1). The framework draws
            it, as it draws parameters, so its own seed determines it: `torch.manual_seed`,
            `keras.utils.set_random_seed`, `mx.random.seed`. `ub.initialize` draws it anew, the same
            on every framework, and leaves all other constants as they are.
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

        net = ub.build(Scaled(8), (2, 4))
        ub.state(net)["scale"]  # 0.5
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
        self.value, self.dtype = value, dtype
        sizes = shape if isinstance(shape, Iterable) else () if shape is None else (shape,)
        self.shape = tuple(map(index, sizes))
        self.initializer = initializer if value is None else None

    def numpy_dtype(self) -> str:
        """The name of its dtype, here and now.

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
        return dtype

    def array(self) -> Array:
        """The numbers of one that is not drawn.

        Raises:
            UnsupportedError: as `numpy_dtype`.
        """
        return np.array(self.value, self.numpy_dtype())
