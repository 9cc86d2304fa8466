"""The few operations that the NumPy references are written with.

They follow complex numbers by their real part, so that a tiny imaginary part carries a
derivative through them unchanged.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unified_blocks.types import Array, State


def relu(X: Array) -> Array:
    return np.where(np.real(X) > 0, X, 0)


def sigmoid(X: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-X)))


def dense(X: Array, state: State, name: str) -> Array:
    """`X Wᵀ + b` with the weight and bias of the layer called `name`."""
    return X @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def substate(state: State, prefix: str) -> State:
    """The part of a state whose names start with `prefix.`, without that."""
    start = prefix + "."
    return {name.removeprefix(start): a for name, a in state.items() if name.startswith(start)}


ACTIVATE: dict[str | None, Callable[[Array], Array]] = {
    None: lambda X: X,
    "relu": relu,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
}
