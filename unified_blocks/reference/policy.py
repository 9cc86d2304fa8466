"""The tolerances: how far two results may be apart before they count as different.

| dtype    | unit roundoff | summed: rtol, atol | trained: rtol, atol | relative to          |
|----------|---------------|--------------------|---------------------|----------------------|
| float64  | 1.1e-16       | 1e-9, 1e-10        | 1e-7, 1e-8          | each element         |
| float32  | 6.0e-8        | 1e-4, 1e-5         | 1e-3, 1e-4          | the array's largest  |
| float16  | 4.9e-4        | 1e-2, 1e-3         | 1e-1, 1e-2          | the array's largest  |
| bfloat16 | 3.9e-3        | 6e-2, 6e-3         | 6e-1, 6e-2          | the array's largest  |

The columns are kinds of reduction. *Copied* numbers, those that were saved, loaded or moved, have
none: they are equal bit for bit, in every dtype. *Held* numbers, parameters and running statistics,
have the tolerance of summed ones, relative to the element or, if that is larger, to the median of
those that are not 0: nothing is added up over the array, so one large element says nothing of the
others. *Summed* are the outputs and gradients of one pass: each is a sum of products, and the
frameworks add in different orders. A sum of n terms is off by at most n u of the sum of their
sizes, u being the unit roundoff, and typically by √n u (Higham, "Accuracy and Stability of
Numerical Algorithms", 2002, sections 2.8 and 4.2); a thousand terms in float32 give 2e-6 typically
and 6e-5 at most, and a few layers one above the other add their own. In half precision the products
are summed in float32 and the sum is rounded: u for each layer, and a dozen layers are allowed.
*Trained* are numbers after several steps, each of which carries the errors of those before it, and
hyper-parameters that a framework rounds (MXNet's Adam is within 2e-9 of the formula).

The largest element stands for the sizes of the terms, which an output does not show. Where the
layer that gave an array is known, so are they, and `unified_blocks.equivalence.rounding` holds each
element to its own sum.

In float64 networks with the same meaning agree to about 1e-14, in float32 to 1e-5, while the
smallest common mistakes (another form of GELU, another epsilon) cost 5e-4 and more. So float64 is
the proof that the meaning is the same, and float32 shows that the result is fit to use; half
precision shows that no step is missing, and cannot show small mistakes.

No tolerance covers a gradient that is nothing but the rounding of a difference: of a normalisation
over one or two numbers, which is constant or nearly so, it is 0 in float64, and in float32 a few
times 1e-5, another on each framework.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from unified_blocks.types import Array

Kind = Literal["copied", "held", "summed", "trained"]


@dataclass(frozen=True)
class Tolerance:
    """`atol + rtol * size`.

    Attributes:
        size: of each element, `"element"`; of the array's `"largest"`; or of the `"median"` of
            those that are not 0, where the element is not larger.
    """

    rtol: float
    atol: float
    size: Literal["element", "median", "largest"] = "element"

    def allowed(self, expected: Array) -> Array:
        """The largest absolute difference allowed from each element of `expected`."""
        size = np.abs(expected.astype(np.float64))
        if self.size == "largest" and size.size:
            size = np.full_like(size, size.max())
        if self.size == "median" and size.any():
            size = np.maximum(size, np.median(size[size > 0]))
        return self.atol + self.rtol * size


EXACT = Tolerance(0.0, 0.0)
TOLERANCES: dict[str, dict[Kind, Tolerance]] = {
    dtype: {
        "copied": EXACT,
        "held": Tolerance(rtol, atol, "element" if dtype == "float64" else "median"),
        "summed": Tolerance(rtol, atol, "element" if dtype == "float64" else "largest"),
        "trained": Tolerance(
            factor * rtol, factor * atol, "element" if dtype == "float64" else "largest"
        ),
    }
    for dtype, rtol, atol, factor in (
        ("float64", 1e-9, 1e-10, 100),
        ("float32", 1e-4, 1e-5, 10),
        ("float16", 1e-2, 1e-3, 10),
        ("bfloat16", 6e-2, 6e-3, 10),
    )
}


@dataclass(frozen=True, order=True)
class Deviation:
    """How far an array is from the expected one.

    Attributes:
        share: the worst difference as a share of what is allowed there; above 1 is out of
            tolerance. Infinite for another shape or a value that is not finite.
        absolute: the worst absolute difference.
    """

    share: float = 0.0
    absolute: float = 0.0

    @property
    def ok(self) -> bool:
        return self.share <= 1


def deviation(
    actual: Array, expected: Array, dtype: str, kind: Kind = "summed", bound: Array | None = None
) -> Deviation:
    """The deviation of `actual` from `expected` under the tolerance of `dtype` and `kind`."""
    if actual.shape != expected.shape:
        return Deviation(float("inf"), float("inf"))
    if not (np.isfinite(actual).all() and np.isfinite(expected).all()):
        return Deviation(float("inf"), float("inf"))
    difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
    if difference.size == 0:
        return Deviation()
    share = shares(difference, expected, dtype, kind, bound)
    return Deviation(float(share.max()), float(difference.max()))


def shares(
    difference: Array, expected: Array, dtype: str, kind: Kind, bound: Array | None = None
) -> Array:
    """Each absolute difference as a share of what is allowed there.

    Args:
        bound: what is allowed of each, where it is known better than the policy does.
    """
    own = OWN.get()
    if own is not None and kind != "copied":
        allowed = own.allowed(expected)
    else:
        allowed = TOLERANCES[dtype][kind].allowed(expected) if bound is None else bound
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / allowed)


OWN: ContextVar[Tolerance | None] = ContextVar("OWN", default=None)
"""The tolerance that a user set in place of the table's."""


@contextmanager
def own_tolerance(rtol: float | None, atol: float | None) -> Iterator[None]:
    """Inside the `with`, `atol + rtol * |expected|` is allowed of each element, in every dtype.

    Numbers that are copied stay the same bit for bit. When one is given the other is 0; when none
    is, nothing changes.

    Raises:
        ValueError: when one is not a finite number from 0.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value is not None and not _is_a_size(value):
            raise ValueError(
                f"compare: {name} must be a finite number from 0; got {name}={value!r}"
            )
    if rtol is None and atol is None:
        yield
        return
    token = OWN.set(Tolerance(rtol or 0.0, atol or 0.0))
    try:
        yield
    finally:
        OWN.reset(token)


def _is_a_size(value: Any) -> bool:
    known = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return bool(known and math.isfinite(value) and value >= 0)


def narrowest(dtypes: Iterable[str | None]) -> str | None:
    """The dtype of these that holds numbers the least exactly; None when one is none of ours."""
    names = list(dtypes)
    order = list(TOLERANCES)
    known = [order.index(name) for name in names if name in order]
    return order[max(known)] if known and len(known) == len(names) else None


def wide(array: Array) -> Array:
    return array.astype(np.float64)


def agree(
    a: Array, b: Array, dtype: str | None, bound: Array | None = None, kind: Kind = "summed"
) -> bool:
    """Whether two arrays are within the policy of `dtype`, the framework's and not NumPy's.

    Args:
        bound: as `shares` takes it.
    """
    name = str(dtype or b.dtype)
    if a.shape != b.shape:
        return False
    if name not in TOLERANCES:
        return bool(np.array_equal(a, b))
    return deviation(b, a, name, kind, bound).ok


def explains(a: Array, b: Array, dtype: str | None, bound: Array | None = None) -> bool:
    """Whether they `agree` so well that a cause may be named by it.

    Small numbers are to be explained beside large ones too. And a user's own tolerance says what
    counts as a difference, but makes no more causes true.
    """
    if not agree(a, b, dtype, bound, "held"):
        return False
    token = OWN.set(None)
    try:
        return agree(a, b, dtype, bound, "held")
    finally:
        OWN.reset(token)
