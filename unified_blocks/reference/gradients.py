"""The float64 NumPy reference of a block: its output and its gradients.

The gradients come from the same few lines as the output, by the complex step: for an analytic
`f`, `Im f(x + ih) / h` is the derivative to machine precision when h is tiny, because nothing is
subtracted (Squire and Trapp, "Using Complex Variables to Estimate Derivatives of Real
Functions", 1998). No framework's automatic differentiation, and no derivative written by hand,
is involved.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unified_blocks.block import Block
from unified_blocks.errors import UnsupportedError
from unified_blocks.types import Array, State

STEP = 1e-200


def reference_of(net: Block, state: State, X: Array) -> Array:
    """`net.reference(state, X)`, unless it is that of a class whose forward `net` replaces.

    Raises:
        UnsupportedError: when the class of the block defines no reference.
    """
    for cls in type(net).__mro__:
        if "reference" in vars(cls):
            return np.asarray(net.reference(state, X))
        native = getattr(cls, "_native", None)
        by_hand = native is not None and native.block is not cls
        if not by_hand and {"forward", "call", "hybrid_forward"} & vars(cls).keys():
            break
    raise UnsupportedError(
        f"{type(net).__name__} has no NumPy reference of its own; define "
        "`reference(self, state, X)` beside its forward"
    )


def reference_output(net: Block, state: State, X: Array) -> Array:
    """What `net` computes with these numbers, in float64."""
    wide = {name: array.astype(np.float64) for name, array in state.items()}
    return reference_of(net, wide, X.astype(np.float64))


def reference_gradients(net: Block, state: State, X: Array, y: Array, names: list[str]) -> State:
    """The gradients of `mean((output - y)²)` with respect to `names` of the state, and to `"x"`.

    One evaluation for each number: for small networks.
    """
    numbers = {name: array.astype(np.complex128) for name, array in state.items()}
    numbers["x"] = X.astype(np.complex128)

    def loss() -> complex:
        state = {name: array for name, array in numbers.items() if name != "x"}
        return complex(np.mean((reference_of(net, state, numbers["x"]) - y) ** 2))

    return {name: _complex_step(loss, numbers[name]) for name in [*names, "x"]}


def _complex_step(loss: Callable[[], complex], array: Array) -> Array:
    gradient = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        real = array[index]
        array[index] = real + 1j * STEP
        gradient[index] = loss().imag / STEP
        array[index] = real
    return gradient
