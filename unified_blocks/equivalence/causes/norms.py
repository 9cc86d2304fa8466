"""Causes that lie in a normalisation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from unified_blocks.equivalence.causes.evidence import ENOUGH, NORMS, Evidence
from unified_blocks.reference.policy import wide
from unified_blocks.types import Array


def fix_gamma(e: Evidence) -> bool:
    """A BatchNorm's gamma counts as 1 in one model and not in the other."""
    if e.what == "parameter":
        ones = [array is None or bool((array == 1).all()) for array in (e.a, e.b)]
        return e.kind == "BatchNorm" and e.attribute == "weight" and ones[0] != ones[1]
    if e.what != "call" or e.kind != "BatchNorm" or e.train or "weight" not in e.numbers:
        return False
    gamma, beta = (along(e, name) for name in ("weight", "bias"))
    if e.a is None or (gamma == 0).any():
        return False
    return e.gives((wide(e.a) - beta) / gamma + beta)


def along(e: Evidence, name: str) -> Array:
    """An array of a normalisation, shaped to broadcast along its axis."""
    assert e.a is not None
    array = wide(e.numbers[name])
    if e.kind == "LayerNorm":
        return array
    axis = 1 if e.a.shape[1] == array.size else e.a.ndim - 1
    return array.reshape([array.size if i == axis else 1 for i in range(e.a.ndim)])


def normalised(e: Evidence) -> tuple[Array, Array, Array, Array, tuple[int, ...]] | None:
    """For a call of a norm: centred input, variance, gamma, beta, and what axes it averages."""
    fits = e.what == "call" and e.kind in NORMS and e.x is not None and e.a is not None
    if not fits or not {"weight", "bias"} <= e.numbers.keys() or e.x_wide.ndim < 2:
        return None
    X, gamma, beta = e.x_wide, along(e, "weight"), along(e, "bias")
    if e.kind == "BatchNorm" and not e.train:
        mean, var = along(e, "running_mean"), along(e, "running_var")
        return X - mean, var + 0 * X, gamma, beta, ()
    if e.kind == "LayerNorm":
        axes: tuple[int, ...] = tuple(range(X.ndim - e.numbers["weight"].ndim, X.ndim))
    else:
        axes = tuple(i for i in range(X.ndim) if gamma.shape[i] == 1)
    return X - X.mean(axes, keepdims=True), X.var(axes, keepdims=True) + 0 * X, gamma, beta, axes


def epsilon_of(
    output: Array, centred: Array, var: Array, gamma: Array, beta: Array
) -> float | None:
    """The epsilon with which a norm gave this output, from its largest numbers."""
    scaled = (wide(output) - beta) / np.where(gamma == 0, np.nan, gamma)
    with np.errstate(all="ignore"):
        found = (centred / scaled) ** 2 - var
    sure = np.isfinite(found) & (np.abs(centred) > 0.1 * np.abs(centred).max())
    return float(np.median(found[sure])) if sure.sum() >= ENOUGH else None


def epsilon(e: Evidence) -> bool:
    """A norm has another epsilon."""
    parts = normalised(e)
    if parts is None or e.a is None or e.b is None:
        return False
    centred, var, gamma, beta, _ = parts
    for array, agrees in ((e.a, e.right), (e.b, e.gives)):
        found = epsilon_of(array, centred, var, gamma, beta)
        if found is None or found < -1e-9:
            return False
        if not agrees(centred / np.sqrt(var + max(found, 0)) * gamma + beta):
            return False
    return True


def batch_statistics(e: Evidence) -> bool:
    """A BatchNorm uses the batch's statistics in one model and the running ones in the other."""
    parts, others = (normalised(replace(e, train=train)) for train in (e.train, not e.train))
    if parts is None or others is None or e.kind != "BatchNorm" or e.a is None:
        return False
    # The right one may be told to use the running ones in training, too.
    for first, second in ((parts, others), (others, parts)):
        found = epsilon_of(e.a, *first[:4])
        if found is None or found < -1e-9:
            continue
        right, wrong = (
            centred / np.sqrt(var + max(found, 0)) * gamma + beta
            for centred, var, gamma, beta, _ in (first, second)
        )
        if e.right(right) and e.gives(wrong):
            return True
    return False


def unbiased_variance(e: Evidence) -> bool:
    """A variance is divided by n - 1 in one model and by n in the other."""
    if e.what == "statistic" and e.x is not None and e.before is not None and e.a is not None:
        return _unbiased_statistic(e)
    parts = normalised(e)
    if parts is None or e.a is None:
        return False
    centred, var, gamma, beta, axes = parts
    count = math.prod(e.x_wide.shape[i] for i in axes)
    if count < 2:
        return False
    for ours, theirs in ((var, var * count / (count - 1)), (var * count / (count - 1), var)):
        found = epsilon_of(e.a, centred, ours, gamma, beta)
        if found is None or not -1e-9 <= found <= 1e-2:
            continue
        small = max(found, 0)
        if e.right(centred / np.sqrt(ours + small) * gamma + beta) and e.gives(
            centred / np.sqrt(theirs + small) * gamma + beta
        ):
            return True
    return False


def _unbiased_statistic(e: Evidence) -> bool:
    if e.attribute != "running_var" or e.a is None or e.before is None:
        return False
    X = e.x_wide
    axis = 1 if X.shape[1] == e.a.size else X.ndim - 1
    axes = tuple(i for i in range(X.ndim) if i != axis)
    var, count = X.var(axes), X.size // e.a.size
    unbiased = var * count / (count - 1)
    old = wide(e.before)
    for ours, theirs in ((var, unbiased), (unbiased, var)):
        with np.errstate(all="ignore"):
            weight = float(np.median((wide(e.a) - old) / (ours - old)))
        if e.right(old + weight * (ours - old)) and e.gives(old + weight * (theirs - old)):
            return True
    return False


def momentum(e: Evidence) -> bool:
    """A running statistic moves by another share of the way to the new value."""
    if e.what != "statistic" or e.a is None or e.b is None or e.before is None:
        return False
    steps = wide(e.a) - wide(e.before)
    sure = np.abs(steps) > 1e-3 * np.abs(steps).max(initial=0)
    if sure.sum() < ENOUGH:
        return False
    share = float(np.median((wide(e.b) - wide(e.before))[sure] / steps[sure]))
    return share != 1 and e.gives(wide(e.before) + share * steps)


def statistics_not_updated(e: Evidence) -> bool:
    """A running statistic stays as it was, in training."""
    return e.what == "statistic" and e.before is not None and e.gives(e.before)
