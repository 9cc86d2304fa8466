"""How far rounding may take what one layer gives, element by element, in float32.

The policy measures an element by the largest of its array, which stands for the terms that it is
the sum of. Where the layer is known, so are the terms, and two frameworks that compute the same
are no further apart than

    atol + 8 √n u · (the sizes of its n terms, added up) + what the difference of its inputs brings

with u = 2^-24. Of a dense layer these sums are `|x| |W|ᵀ + |b|`; of a convolution the same with the
largest `|x|` of each channel (it may be computed in tiles or by a Fourier transform, which mix the
roundings of neighbours); of a norm `|γ| / σ · (|x| + |μ|) + |β|` and what its variance is off by.
With this factor the bound holds for all of a great many sums (Higham and Mary, "A New Approach to
Probabilistic Rounding Error Analysis", 2019). The terms of an activation are its input and its
output; libraries approximate it, and 1e-5 of them is allowed.

What a layer is is told by its numbers: its formula, in float64, must give what the first model
gave. What none of the formulas gives, and what a model computes between its layers, is held to the
policy alone. No bound is wider than the policy's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from unified_blocks.equivalence.causes.activations import bent, sloped
from unified_blocks.equivalence.causes.evidence import NORMS, Evidence
from unified_blocks.equivalence.causes.norms import epsilon_of, normalised
from unified_blocks.equivalence.watching import Call
from unified_blocks.reference.numpy_ops import ACTIVATE
from unified_blocks.reference.policy import OWN, TOLERANCES, wide
from unified_blocks.reference.rows import Row, compared
from unified_blocks.types import Array

DTYPE = "float32"
POLICY = TOLERANCES[DTYPE]["summed"]
UNIT = 2.0**-24
FUNCTION = 1e-5
"""How far an activation may be off, as a share of its input and its output."""
SAMPLED = 256
"""How many numbers a formula is tried on before it is on all."""


class Paired(Protocol):
    """A call of both models, with a row of each input and output, and the bounds of those."""

    a: Call
    b: Call
    inputs: list[Row]
    outputs: list[Row]
    input_bounds: dict[int, Array]
    output_bounds: dict[int, Array]


def tighten(pairs: Sequence[Paired], numbers: Mapping[str, Array], train: bool) -> None:
    """Hold the arrays of these calls, in the order of their end, to bounds of their own."""
    if OWN.get() is not None:
        return
    for pair in pairs:
        for i, row in enumerate(pair.inputs):
            if _is_worth_it(row):
                a, b = pair.a.inputs[i], pair.b.inputs[i]
                bound = _by_activation(_had(pairs, -1, pair.a.start), a, b)
                if bound is not None:
                    pair.inputs[i], pair.input_bounds[i] = _held(row, a, b, bound), bound
        for i, row in enumerate(pair.outputs):
            if _is_worth_it(row):
                a, b = pair.a.outputs[i], pair.b.outputs[i]
                bound = bound_of(pair.a, pair.b, numbers_of(pair.a.path, numbers), train)
                if bound is None:
                    bound = _by_activation(_had(pairs, pair.a.start, pair.a.end), a, b)
                if bound is not None:
                    pair.outputs[i], pair.output_bounds[i] = _held(row, a, b, bound), bound


def numbers_of(path: str, numbers: Mapping[str, Array]) -> dict[str, Array]:
    """Those of all numbers that a layer itself holds, by their own names."""
    start = f"{path}." if path else ""
    return {
        name.removeprefix(start): array
        for name, array in numbers.items()
        if name.startswith(start) and "." not in name.removeprefix(start)
    }


def _is_worth_it(row: Row) -> bool:
    """Whether the policy lets a difference pass that a bound may not."""
    return row.ok and row.dtypes == (DTYPE, DTYPE) and row.absolute > POLICY.atol


def _held(row: Row, a: Array, b: Array, bound: Array) -> Row:
    found = compared(row.name, row.what, a, b, bound=bound)
    return replace(row, share=found.share, at=found.at)


# layers


@dataclass(frozen=True)
class Rounding:
    """How far each element may be off.

    Attributes:
        own: by the arithmetic of the layer.
        brought: by the difference of what the two models gave it.
    """

    own: Array
    brought: Array

    def after(self, z: Array, y: Array, steepest: float) -> Rounding:
        """Of `y`, which an activation that is nowhere steeper gives of `z`."""
        own = steepest * self.own + FUNCTION * (np.abs(z) + np.abs(y))
        return Rounding(own, steepest * self.brought)

    def bound(self, y: Array) -> Array:
        """What is allowed of each element of `y`."""
        return np.minimum(POLICY.allowed(y), POLICY.atol + self.own + self.brought)


def bound_of(a: Call, b: Call, numbers: Mapping[str, Array], train: bool) -> Array | None:
    """What is allowed of each element of a layer's output; None of a layer that is not known."""
    if not len(a.inputs) == len(b.inputs) == len(a.outputs) == len(b.outputs) == 1:
        return None
    found = _rounding(a, b, numbers, train)
    return None if found is None else found.bound(wide(a.outputs[0]))


def activated_bound(
    bare: Call, done: Call, numbers: Mapping[str, Array], train: bool
) -> Array | None:
    """What is allowed of the output of an activation that only one model has inside a layer.

    Args:
        bare, done: the layer without the activation, and with it.
    """
    if OWN.get() is not None or (bare.dtypes, done.dtypes) != ([DTYPE], [DTYPE]):
        return None
    if not len(bare.inputs) == len(done.inputs) == 1:
        return None
    found = _rounding(bare, done, numbers, train)
    z, y = wide(bare.outputs[0]), wide(done.outputs[0])
    return None if found is None else found.after(z, y, STEEPEST).bound(y)


def _rounding(a: Call, b: Call, numbers: Mapping[str, Array], train: bool) -> Rounding | None:
    x, y = a.inputs[0], a.outputs[0]
    if x.shape != b.inputs[0].shape or x.dtype != np.float32 or y.dtype != np.float32:
        return None
    delta = np.abs(wide(x) - wide(b.inputs[0]))
    e = Evidence("call", a.name, a.kind, y, x=x, numbers=numbers, train=train)
    if a.kind in NORMS:
        return _norm(e, delta)
    if numbers.get("weight", np.zeros(0)).ndim == x.ndim >= 3:
        return _convolution(e, delta)
    return _dense(e, delta)


def _sum(n: int) -> float:
    """The share of the sizes of n terms that their sum may be off by."""
    return 8 * math.sqrt(n) * UNIT


def _dense(e: Evidence, delta: Array) -> Rounding | None:
    weight, y = e.weight, e.a
    if weight is None or y is None or e.linear is None or e.linear.shape != y.shape:
        return None
    z, width = e.linear, weight.shape[1]
    sizes = replace(
        e, x=np.abs(e.x_wide), numbers={name: np.abs(each) for name, each in e.numbers.items()}
    )
    moved = replace(e, x=delta, numbers={"weight": weight})
    assert sizes.linear is not None
    found = Rounding(_sum(width) * sizes.linear, moved.with_weight(np.abs(weight).T))
    y = wide(y)
    if (np.abs(z - y) <= POLICY.atol + found.own).all():
        return found
    function = _activation(z, y, found.own)
    return None if function is None else found.after(z, y, function)


def _convolution(e: Evidence, delta: Array) -> Rounding | None:
    """Whatever its stride and its padding are: no window has more than the whole image."""
    weight, y = e.numbers["weight"], e.a
    if y is None or y.ndim != weight.ndim or not str(e.kind).startswith("Conv"):
        return None
    axis = 1 if y.shape[1] == len(weight) else y.ndim - 1
    inside = weight.shape[1]
    groups, rest = divmod(e.x_wide.shape[axis], inside)
    if y.shape[axis] != len(weight) or rest or not groups or len(weight) % groups:
        return None
    axes = tuple(i for i in range(1, y.ndim) if i != axis)
    kernel = np.abs(wide(weight)).reshape(groups, -1, inside, math.prod(weight.shape[2:])).sum(-1)

    def sums(x: Array) -> Array:
        largest = x.max(axes).reshape(len(x), groups, inside)
        found = np.einsum("ngi,goi->ngo", largest, kernel).reshape(len(x), len(weight))
        return np.expand_dims(found, axes)

    bias = np.abs(wide(e.numbers.get("bias", np.zeros(1)))).max()
    n = math.prod(weight.shape[1:])
    # Twice, for an activation that a layer may have of its own: it cannot be told from the numbers.
    own = 2 * _sum(n) * (sums(np.abs(e.x_wide)) + bias)
    return Rounding(own + 0 * wide(y), 2 * sums(delta) + 0 * wide(y))


def _norm(e: Evidence, delta: Array) -> Rounding | None:
    parts = normalised(e)
    if parts is None or e.a is None:
        return None
    centred, var, gamma, beta, axes = parts
    y = wide(e.a)
    with np.errstate(all="ignore"):
        epsilon = epsilon_of(e.a, centred, var, gamma, beta)
        if epsilon is None or epsilon < -1e-9:
            return None
        sigma = np.sqrt(var + max(epsilon, 0))
        scale = np.abs(gamma) / sigma
        mean = np.abs(e.x_wide - centred)
        n = math.prod(e.x_wide.shape[i] for i in axes)
        # The variance may be the difference of E[x²] and μ², and is as far off as these are.
        spread = np.abs(y - beta) * (1 + (mean / sigma) ** 2)
        own = _sum(n + 1) * (scale * (np.abs(e.x_wide) + mean) + spread + np.abs(beta))
        if axes:
            most = delta.max(axes, keepdims=True)
            brought = 2 * scale * most * (1 + np.abs(centred) / sigma)
        else:
            brought = scale * delta
        gives = centred / sigma * gamma + beta
    if not np.isfinite(own).all() or not (np.abs(gives - y) <= POLICY.atol + own).all():
        return None
    return Rounding(own, brought)


# activations

STEEPEST = 2.0
"""No activation that has a name is steeper."""


def _activation(z: Array, y: Array, off: Array | float = 0.0) -> float | None:
    """How steep the activation is that gives `y` of `z`, which may be off; None if none does."""
    some = np.unique(np.linspace(0, z.size - 1, SAMPLED).astype(int)) if z.size else []
    with np.errstate(all="ignore"):
        for function, steepest in _activations(z, y):
            allowed = POLICY.atol + steepest * off + FUNCTION * (np.abs(z) + np.abs(y))
            few, wanted = function(z.reshape(-1)[some]), y.reshape(-1)[some]
            if not (np.abs(few - wanted) <= allowed.reshape(-1)[some]).all():
                continue
            if (np.abs(function(z) - y) <= allowed).all():
                return steepest
    return None


def _activations(z: Array, y: Array) -> Iterator[tuple[Callable[[Array], Array], float]]:
    for name, function in ACTIVATE.items():
        if name is not None:
            yield function, STEEPEST
    for curve, slope in bent(z, y):
        yield sloped(curve, slope), max(STEEPEST, abs(slope))


def _by_activation(sources: Iterator[tuple[Array, Array]], a: Array, b: Array) -> Array | None:
    """What is allowed of each element of an array that is an activation's output.

    Args:
        sources: what it may have been applied to in both models, the nearest first.
    """
    y = wide(a)
    for z, other in sources:
        if z.shape != a.shape or other.shape != a.shape or z.dtype != np.float32:
            continue
        if np.array_equal(z, a):  # it is passed on
            return None
        delta = np.minimum(POLICY.allowed(z), np.abs(wide(z) - wide(other)))
        steepest = _activation(wide(z), y)
        if steepest is not None:
            return Rounding(0 * y, delta).after(wide(z), y, steepest).bound(y)
    return None


def _had(pairs: Sequence[Paired], since: int, until: int) -> Iterator[tuple[Array, Array]]:
    """What both models took and gave between two moments, the latest first."""
    moments = [
        (time, arrays)
        for pair in pairs
        for time, arrays in (
            (pair.a.start, (pair.a.inputs, pair.b.inputs)),
            (pair.a.end, (pair.a.outputs, pair.b.outputs)),
        )
        if since <= time < until
    ]
    for _, (a, b) in sorted(moments, key=lambda moment: -moment[0]):
        yield from zip(a, b, strict=False)
