"""Causes that lie in an activation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from unified_blocks.equivalence.causes.evidence import ENOUGH, Evidence
from unified_blocks.reference.numpy_ops import ACTIVATE, softmax
from unified_blocks.reference.policy import agree, wide
from unified_blocks.types import Array


def activation_missing(e: Evidence) -> bool:
    """The activation is not applied."""
    return e.what == "call" and _activates(e.b, e.right) and not _activates(e.a, e.gives)


def activation_extra(e: Evidence) -> bool:
    """An activation is applied that the right model does not have."""
    return e.what == "call" and _activates(e.a, e.gives) and not _activates(e.b, e.right)


def _activates(array: Array | None, agrees: Callable[[Array], bool]) -> bool:
    if array is None or array.size < ENOUGH:
        return False
    with np.errstate(all="ignore"):
        return any(agrees(f(wide(array))) for name, f in ACTIVATE.items() if name is not None)


def _before_activation(e: Evidence) -> Iterator[Array]:
    """What the activation of this call was applied to."""
    if e.what == "call":
        if e.linear is not None:
            yield e.linear
        elif e.x is not None and e.a is not None and e.x.shape == e.a.shape:
            yield e.x_wide
        if e.a is not None and e.later[0]:
            yield wide(e.a)


def _applied(e: Evidence, candidate: Array) -> bool:
    """Whether the right model has it, or computes it from its output."""
    return e.right(candidate) or any(agree(candidate, array, e.dtype) for array in e.later[0])


def gelu_tanh(X: Array, cubic: float) -> Array:
    """GELU by its approximation with tanh (Hendrycks and Gimpel, 2016)."""
    return np.asarray(0.5 * X * (1 + np.tanh(math.sqrt(2 / math.pi) * (X + cubic * X**3))))


def gelu_form(e: Evidence) -> bool:
    """GELU is exact in one model and its approximation by tanh in the other."""
    for z in _before_activation(e):
        exact = ACTIVATE["gelu"](z)
        for cubic in (0.044715, float(np.float32(0.044715))):  # Keras rounds it
            other = gelu_tanh(z, cubic)
            if (_applied(e, exact) and e.gives(other)) or (_applied(e, other) and e.gives(exact)):
                return True
    return False


def another_activation(e: Evidence) -> bool:
    """Another activation is applied."""
    functions = [f for name, f in ACTIVATE.items() if name is not None]
    with np.errstate(all="ignore"):
        return any(
            any(_applied(e, f(z)) for f in functions)
            and (
                _applied_later(e, z, functions)
                if e.gives(z)  # in half precision a small number is its own tanh, too
                else any(e.gives(g(z)) for g in functions)
            )
            for z in _before_activation(e)
        )


def _applied_later(e: Evidence, z: Array, functions: Sequence[Callable[[Array], Array]]) -> bool:
    """Whether the wrong model applies one after the layer, where the right one applies none."""
    if e.a is None:
        return False
    mine, theirs = e.later
    return any(
        any(agree(g(z), array, e.dtype) for array in theirs)
        and not any(agree(g(wide(e.a)), array, e.dtype) for array in mine)
        for g in functions
    )


def softmax_axis(e: Evidence) -> bool:
    """Softmax is taken along another axis."""
    if e.what != "call" or e.x is None:
        return False
    axes = range(e.x.ndim)
    both = [softmax(e.x_wide, axis) for axis in axes]
    for values in (both, [np.log(value) for value in both]):
        if any(e.right(value) for value in values) and any(e.gives(value) for value in values):
            return True
    return False
