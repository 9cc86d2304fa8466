"""Causes that lie in an activation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from unified_blocks.equivalence.causes.evidence import ENOUGH, Evidence
from unified_blocks.reference.numpy_ops import ACTIVATE, gelu_tanh, softmax
from unified_blocks.reference.policy import explains, wide
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
    return any(agrees(f(wide(array))) for name, f in ACTIVATE.items() if name is not None)


def _before_activation(e: Evidence) -> Iterator[Array]:
    """What the activation of this call was applied to."""
    if e.what == "call":
        if e.linear is not None:
            yield e.linear
        if e.x is not None and e.a is not None and e.x.shape == e.a.shape:
            yield e.x_wide
        if e.a is not None and e.later[0]:
            yield wide(e.a)


def _applied(e: Evidence, candidate: Array) -> bool:
    """Whether the right model has it, or computes it from its output."""
    return e.right(candidate) or _has(e.later[0], candidate, e.dtype)


def _has(arrays: Sequence[Array], candidate: Array, dtype: str | None) -> bool:
    return any(explains(candidate, array, dtype) for array in arrays)


def gelu_form(e: Evidence) -> bool:
    """GELU is exact in one model and its approximation by tanh in the other."""
    for z in _before_activation(e):
        exact = ACTIVATE["gelu"](z)
        for cubic in (0.044715, float(np.float32(0.044715))):  # Keras rounds it
            other = gelu_tanh(z, cubic)
            if any(
                _applied(e, right) and (e.gives(wrong) or _has(e.later[1], wrong, e.dtype))
                for right, wrong in ((exact, other), (other, exact))
            ):
                return True
    return False


def another_activation(e: Evidence) -> bool:
    """Another activation is applied."""
    for z in _before_activation(e):
        functions = [f for name, f in ACTIVATE.items() if name is not None]
        functions += [sloped(*bent) for bent in (*_bent(e, z, 0), *_bent(e, z, 1))]
        if any(_applied(e, f(z)) for f in functions) and (
            _applied_later(e, z, functions)
            if e.gives(z)  # in half precision a small number is its own tanh, too
            else any(e.gives(g(z)) for g in functions)
        ):
            return True
    return False


Curve = Callable[[Array], Array]


def another_slope(e: Evidence) -> bool:
    """A LeakyReLU or an ELU has another slope below 0."""
    return any(
        curve is other and not math.isclose(slope, another, rel_tol=1e-6)
        for z in _before_activation(e)
        for curve, slope in _bent(e, z, 0)
        for other, another in _bent(e, z, 1)
    )


def _straight(Z: Array) -> Array:
    return Z


def sloped(curve: Curve, slope: float) -> Curve:
    """A function that is its input above 0, and `slope * curve` below."""
    return lambda Z: np.where(Z > 0, Z, slope * curve(np.minimum(Z, 0)))


def bent(z: Array, array: Array) -> Iterator[tuple[Curve, float]]:
    """The LeakyReLU and the ELU, with their slopes, that come nearest to giving an array of `z`."""
    below = z < 0
    if np.count_nonzero(below) < ENOUGH:
        return
    for curve in (_straight, np.expm1):
        fits = curve(z[below])
        slope = float(fits @ wide(array)[below] / (fits @ fits))
        # Without a slope it is a ReLU, and with 1 as it was: others tell of these.
        ends = (0.0, 1.0) if curve is _straight else (0.0,)
        if not any(math.isclose(slope, end, rel_tol=1e-6, abs_tol=1e-6) for end in ends):
            yield curve, slope


def _bent(e: Evidence, z: Array, model: int) -> Iterator[tuple[Curve, float]]:
    """The LeakyReLUs and ELUs of `z`, with their slopes, that a model has there or later."""
    array = (e.a, e.b)[model]
    for found, bound in ((array, e.bound), *((each, None) for each in e.later[model])):
        if found is not None and found.shape == z.shape:
            for curve, slope in bent(z, found):
                if explains(sloped(curve, slope)(z), found, e.dtype, bound):
                    yield curve, slope


def _applied_later(e: Evidence, z: Array, functions: Sequence[Callable[[Array], Array]]) -> bool:
    """Whether the wrong model applies one after the layer, where the right one applies none."""
    if e.a is None:
        return False
    mine, theirs = e.later
    return any(
        _has(theirs, g(z), e.dtype) and not _has(mine, g(wide(e.a)), e.dtype) for g in functions
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
