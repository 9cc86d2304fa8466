"""The few operations that the NumPy references are written with.

They follow complex numbers by their real part, so that a tiny imaginary part carries a
derivative through them unchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from unified_blocks.types import Array, State


def relu(X: Array) -> Array:
    return np.where(np.real(X) > 0, X, 0)


def sigmoid(X: Array) -> Array:
    above = np.real(X) > 0
    small = np.exp(np.where(above, -X, X))  # which no number is too large for
    return np.asarray(np.where(above, 1, small) / (1 + small))


def elu(X: Array) -> Array:
    above = np.real(X) > 0
    return np.where(above, X, np.expm1(np.where(above, 0, X)))


def erf(X: Array) -> Array:
    """The error function; along a tiny imaginary step by its derivative, `2/√π exp(-x²)`."""
    real = np.real(X).astype(np.float64)
    value = np.vectorize(math.erf, otypes=[np.float64])(real)
    if not np.iscomplexobj(X):
        return np.asarray(value)
    return np.asarray(value + 1j * np.imag(X) * 2 / math.sqrt(math.pi) * np.exp(-(real**2)))


def softplus(X: Array) -> Array:
    """`log(1 + exp(X))`, without overflow."""
    return np.asarray(relu(X) + np.log1p(np.exp(np.where(np.real(X) > 0, -X, X))))


def hard_sigmoid(X: Array) -> Array:
    return np.where(np.real(X) < -3, 0, np.where(np.real(X) > 3, 6, X + 3)) / 6


def relu6(X: Array) -> Array:
    return np.where(np.real(X) < 6, relu(X), 6)


def gelu_tanh(X: Array, cubic: float = 0.044715) -> Array:
    """GELU by its approximation with tanh (Hendrycks and Gimpel, 2016)."""
    return np.asarray(0.5 * X * (1 + np.tanh(math.sqrt(2 / math.pi) * (X + cubic * X**3))))


def softmax(X: Array, axis: int) -> Array:
    e = np.exp(X - np.real(X).max(axis, keepdims=True))
    return np.asarray(e / e.sum(axis, keepdims=True))


def attention(Q: Array, K: Array, V: Array, mask: Any, causal: bool, scale: float) -> Array:
    """`softmax(scale · Q Kᵀ) V` where the mask is True; zeros of what attends to nothing."""
    scores = Q @ K.swapaxes(-1, -2) * scale  # (…, q, k)
    seen = np.ones(scores.shape[-2:], bool)
    seen = (np.tril(seen) if causal else seen) & (True if mask is None else mask)
    largest = np.where(seen, np.real(scores), -np.inf).max(-1, keepdims=True)
    e = np.where(seen, np.exp(scores - np.where(np.isfinite(largest), largest, 0)), 0)
    total = e.sum(-1, keepdims=True)
    return np.asarray(e / np.where(total == 0, 1, total) @ V)


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
    "leaky_relu": lambda X: np.where(np.real(X) > 0, X, 0.01 * X),
    "elu": elu,
    "selu": lambda X: 1.0507009873554805 * np.where(np.real(X) > 0, X, 1.6732632423543772 * elu(X)),
    "gelu": lambda X: X * (1 + erf(X / math.sqrt(2))) / 2,
    "silu": lambda X: X * sigmoid(X),
    "sigmoid": sigmoid,
    "hard_sigmoid": hard_sigmoid,
    "tanh": np.tanh,
    "softplus": softplus,
    "softsign": lambda X: X / (1 + np.where(np.real(X) > 0, X, -X)),
    "relu6": relu6,
    "hard_swish": lambda X: X * hard_sigmoid(X),
    "mish": lambda X: X * np.tanh(softplus(X)),
    "gelu_tanh": gelu_tanh,
}
