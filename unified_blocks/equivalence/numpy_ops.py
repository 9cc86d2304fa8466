"""The few operations that the NumPy references are written with.

They follow complex numbers by their real part, so that a tiny imaginary part carries a
derivative through them unchanged.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

State = dict[str, np.ndarray]


def relu(X: np.ndarray) -> np.ndarray:
    return np.where(X.real > 0, X, 0)


def sigmoid(X: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-X))


def dense(X: np.ndarray, state: State, name: str) -> np.ndarray:
    """`X Wᵀ + b` with the weight and bias of the layer called `name`."""
    return X @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def substate(state: State, prefix: str) -> State:
    """The part of a state whose names start with `prefix.`, without that."""
    start = prefix + "."
    return {name.removeprefix(start): a for name, a in state.items() if name.startswith(start)}


ACTIVATE: dict[str | None, Callable[[np.ndarray], np.ndarray]] = {
    None: lambda X: X,
    "relu": relu,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
}
