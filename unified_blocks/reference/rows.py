"""`Row`: two arrays, compared in full. It needs only NumPy, as records need no framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from unified_blocks.reference.policy import Kind, shares
from unified_blocks.types import Array

What = Literal["parameter", "input", "call", "output", "gradient", "loss"]
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Row:
    """One array of two results, of which `a` is expected.

    Attributes:
        name: of a parameter, a call (`"dense#2"`), …
        what: what the array is.
        shapes, dtypes: of each; None where one of them has no such array.
        absolute: the largest absolute difference, infinite where they cannot be subtracted.
        relative: the largest difference relative to the larger of the two numbers.
        ulp: the largest distance, counted in floating-point numbers of the dtype.
        at: the index in the tensor where the share is largest.
        share: the largest difference as a share of what the policy allows there; above 1 is out of
            tolerance, infinite where shapes or dtypes differ, or a number is not finite.
        layout: how the second was moved before: "channels last" where it has them last and the
            first on the axis after the batch's.
    """

    name: str
    what: What
    shapes: tuple[tuple[int, ...] | None, tuple[int, ...] | None]
    dtypes: tuple[str | None, str | None]
    absolute: float
    relative: float
    ulp: float
    at: tuple[int, ...] | None
    share: float
    layout: str | None = None

    @property
    def ok(self) -> bool:
        return self.share <= 1

    @property
    def remark(self) -> str:
        """What is to be said of the layout: `"the same, channels last"`."""
        return f"the same, {self.layout}" if self.layout and self.ok else self.layout or ""


def compared(
    name: str,
    what: What,
    a: Array | None,
    b: Array | None,
    kind: Kind = "summed",
    dtypes: tuple[str | None, str | None] | None = None,
    bound: Array | None = None,
) -> Row:
    """The row of two arrays; None stands for a missing array.

    Args:
        dtypes: their dtypes, if NumPy holds them in another: bfloat16 comes as float32.
        bound: what is allowed of each element, where it is known better than the policy does.
    """
    shapes: Pair = (getattr(a, "shape", None), getattr(b, "shape", None))
    if dtypes is None:
        dtypes = (None if a is None else str(a.dtype), None if b is None else str(b.dtype))
    comparable = dtypes[0] == dtypes[1] or (kind == "summed" and _are_whole(a, b))
    if a is None or b is None or shapes[0] != shapes[1] or not comparable:
        return Row(name, what, shapes, dtypes, np.inf, np.inf, np.inf, None, np.inf)
    if a.size == 0:
        return Row(name, what, shapes, dtypes, 0.0, 0.0, 0.0, None, 0.0)
    if a.dtype.kind not in "fc":
        return _whole(name, what, a, b, shapes, dtypes)
    x, y = a.astype(np.float64), b.astype(np.float64)
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    finite = np.isfinite(x) & np.isfinite(y)
    with np.errstate(invalid="ignore", over="ignore"):
        absolute = np.where(same, 0.0, np.where(finite, np.abs(x - y), np.inf))
        largest = np.maximum(np.abs(x), np.abs(y))
        relative = np.where(same, 0.0, absolute / np.where(largest > 0, largest, 1))
    relative = np.where(np.isnan(relative), np.inf, relative)
    # Not even the same nan is fit for use, except where numbers were only to be copied.
    share = shares(absolute, np.where(np.isfinite(x), x, 0.0), dtypes[0] or "", kind, bound)
    if kind != "copied":
        share = np.where(finite, share, np.inf)
    at = np.unravel_index(int(np.argmax(share if share.any() else absolute)), share.shape)
    return Row(
        name,
        what,
        shapes,
        dtypes,
        float(absolute.max()),
        float(relative.max()),
        _ulps(a, b, same, finite, dtypes[0] or ""),
        tuple(int(i) for i in at),
        float(share.max()),
    )


def _are_whole(a: Array | None, b: Array | None) -> bool:
    """Whether both are of whole numbers: one framework counts places in int64, another in int32."""
    return all(array is not None and array.dtype.kind in "iu" for array in (a, b))


def _whole(name: str, what: What, a: Array, b: Array, shapes: Pair, dtypes: Pair) -> Row:
    """The row of integers or booleans: any difference is out of tolerance."""
    apart = np.abs(a.astype(np.float64) - b.astype(np.float64))
    worst = float(apart.max())
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(apart)), a.shape))
    relative = float((apart / np.maximum(np.abs(a.astype(np.float64)), 1)).max())
    return Row(name, what, shapes, dtypes, worst, relative, worst, at, np.inf if worst else 0.0)


BITS: dict[str, type[np.signedinteger[Any]]] = {
    "float16": np.int16,
    "float32": np.int32,
    "float64": np.int64,
}


def _ulps(a: Array, b: Array, same: Array, finite: Array, dtype: str) -> float:
    """The largest distance in representable numbers; infinite where one is not finite."""
    if not (same | finite).all():
        return float("inf")
    if dtype == "bfloat16":  # the upper half of a float32
        return max(0.0, _distance(a, b, same, "float32") / 2**16)
    return _distance(a, b, same, dtype)


def _distance(a: Array, b: Array, same: Array, dtype: str) -> float:
    whole = []
    for array in (a, b):
        bits = np.ascontiguousarray(array, dtype).view(BITS[dtype]).astype(np.int64)
        # In the order of the numbers that have these bits; both zeros are 0.
        whole.append(np.where(bits < 0, np.iinfo(BITS[dtype]).min - bits, bits))
    # Their distance may be beyond int64, and not beyond uint64.
    low, high = np.minimum(*whole).view(np.uint64), np.maximum(*whole).view(np.uint64)
    return float(np.where(same, 0, high - low).max())


def rows_of(
    name: str,
    what: str,
    a: Sequence[Array],
    b: Sequence[Array],
    dtypes: tuple[Sequence[str], Sequence[str]] | None = None,
    names: Sequence[str] | None = None,
) -> list[Row]:
    """A row for each of the arrays, under `names` or, without them, under their positions."""
    if names is None and len(a) == len(b) == 1:
        names = [name]
    elif names is None:
        names = [f"{name}[{i}]" for i in range(max(len(a), len(b)))]
    rows = []
    for i, each in enumerate(names):
        x, y = (arrays[i] if i < len(arrays) else None for arrays in (a, b))
        pair = None
        if dtypes is not None and x is not None and y is not None:
            pair = (dtypes[0][i], dtypes[1][i])
        rows.append(compared(each, what, x, y, dtypes=pair))  # type: ignore[arg-type]
    return rows


def either(pair: tuple[object, object]) -> str:
    """A property of two models in words: once if it is the same in both, else both."""
    a, b = ("none" if value is None else str(value) for value in pair)
    return a if a == b else f"{a} / {b}"
