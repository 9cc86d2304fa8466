"""Causes that show in the numbers of any call, gradient or loss."""

from __future__ import annotations

import numpy as np

from unified_blocks.equivalence.causes.evidence import ENOUGH, Evidence
from unified_blocks.reference.numpy_ops import ACTIVATE
from unified_blocks.reference.policy import explains, narrowest, wide
from unified_blocks.types import Array


def call_missing(e: Evidence) -> bool:
    """A layer is not called, or not as often as in the right model."""
    return e.only_in == "a"


def call_extra(e: Evidence) -> bool:
    """A layer is called that the right model does not call, or not as often."""
    return e.only_in == "b"


def bias_missing(e: Evidence) -> bool:
    """The bias is not added."""
    if e.what == "parameter":
        return e.attribute == "bias" and e.roles == ("parameter", None)
    weight, bias = e.weight, e.numbers.get("bias")
    if weight is None or bias is None:
        return False
    z = e.with_weight(weight.T)
    return any(e.right(f(z)) and e.gives(f(z - wide(bias))) for f in ACTIVATE.values())


def dropout_active(e: Evidence) -> bool:
    """Dropout is at work where the right model passes its input on, or drew other numbers."""
    if e.kind != "Dropout" or e.what != "call" or e.x is None or e.b is None:
        return False
    kept = wide(e.b)[(e.b != 0) & (e.x != 0)] / e.x_wide[(e.b != 0) & (e.x != 0)]
    dropped = bool(((e.b == 0) & (e.x != 0)).any())
    return kept.size > 0 and dropped and bool(np.allclose(kept, kept.flat[0], rtol=1e-2))


def input_changed(e: Evidence) -> bool:
    """A call changes what it was given, in place."""
    return e.changed


def float32_inside(e: Evidence) -> bool:
    """A step of a float64 model is computed in float32."""
    if e.what not in ("call", "gradient") or e.a is None or e.b is None:
        return False
    if e.b.dtype != np.float64 or e.b.shape != e.a.shape or e.b.size < ENOUGH:
        return False
    near = np.abs(e.a - e.b).max() <= 1e-5 * np.abs(e.a).max()
    return bool(near) and bool((e.b == e.b.astype(np.float32)).all())


def another_dtype(e: Evidence) -> bool:
    """The dtype differs, or did before a cast; the numbers agree up to rounding."""
    if e.a is None or e.b is None:
        return False
    # NumPy has no bfloat16: its numbers come as float32.
    dtypes = [of or str(array.dtype) for of, array in zip(e.dtypes, (e.a, e.b), strict=True)]
    if dtypes[0] != dtypes[1]:
        narrow = narrowest(dtypes)
        return narrow is not None and explains(e.a, e.b, narrow)
    return any(
        _fits(e.a, half) != _fits(e.b, half) and explains(e.a, e.b, half)
        for half in ("float16", "bfloat16")
        if dtypes[0] in ("float64", "float32") and _varied(e.a) and _varied(e.b)
    )


def _fits(array: Array, half: str) -> bool:
    """Whether each number is one of `half`, as after a cast from there."""
    narrow = array.astype(np.float32)
    if half == "bfloat16":  # the upper half of a float32
        back = (narrow.view(np.uint32) & 0xFFFF0000).view(np.float32)
    else:
        with np.errstate(over="ignore"):
            back = narrow.astype(np.float16).astype(np.float32)
    return bool((back == array).all())


def not_finite(e: Evidence) -> bool:
    """A number is not finite although the right model's is."""
    return (
        e.a is not None
        and e.b is not None
        and bool(np.isfinite(e.a).all())
        and not np.isfinite(e.b).all()
    )


def constant_factor(e: Evidence) -> bool:
    """All numbers are the right ones times one number."""
    if e.what not in ("call", "gradient") or not _varied(e.a) or e.a is None or e.b is None:
        return False
    at = np.unravel_index(int(np.argmax(np.abs(e.a))), e.a.shape)
    if e.a.shape != e.b.shape:
        return False
    return e.gives(wide(e.a) * float(e.b[at] / e.a[at])) and bool(e.b[at])


def constant_offset(e: Evidence) -> bool:
    """All numbers are the right ones plus one number."""
    if e.what != "call" or not _varied(e.a) or e.a is None or e.b is None:
        return False
    if e.a.shape != e.b.shape:
        return False
    return e.gives(wide(e.a) + float(np.median(wide(e.b) - wide(e.a))))


def _varied(array: Array | None) -> bool:
    return array is not None and len(np.unique(array)) >= ENOUGH


def gradient_missing(e: Evidence) -> bool:
    """A parameter gets no gradient, though the output depends on it."""
    return e.what == "gradient" and e.a is not None and (e.b is None or not e.b.any())


def loss_summed(e: Evidence) -> bool:
    """What is averaged, over the batch or over all numbers, in one model is summed in the other."""
    if e.what not in ("gradient", "loss") or e.a is None or not wide(e.a).any():
        return False
    factors = [factor for n in e.counts if n > 1 for factor in (n, 1 / n)]
    return any(e.gives(wide(e.a) * factor) for factor in factors)
