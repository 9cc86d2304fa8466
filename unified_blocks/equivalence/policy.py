"""How far two results may be apart before they count as different.

| dtype   | rtol | atol | relative to                      | what it shows           |
|---------|------|------|----------------------------------|-------------------------|
| float64 | 1e-9 | 1e-10| each element                     | the meaning is the same |
| float32 | 1e-4 | 1e-5 | the largest element of the array | it is fit to deploy     |

Networks with the same meaning agree to about 1e-14 in float64 and 1e-5 in float32, by rounding
alone; the smallest common mistakes (another form of GELU, another epsilon) cost 5e-4 and more.
float64 tells them apart with room to spare on both sides, which is why it is the proof.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unified_blocks.types import Array


@dataclass(frozen=True)
class Tolerance:
    rtol: float
    atol: float
    by_element: bool

    def allowed(self, expected: Array) -> Array:
        """The largest absolute difference allowed from each element of `expected`."""
        size = np.abs(expected.astype(np.float64))
        if not self.by_element and size.size:
            size = np.full_like(size, size.max())
        return self.atol + self.rtol * size


TOLERANCES = {
    "float64": Tolerance(rtol=1e-9, atol=1e-10, by_element=True),
    "float32": Tolerance(rtol=1e-4, atol=1e-5, by_element=False),
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


def deviation(actual: Array, expected: Array, dtype: str) -> Deviation:
    """The deviation of `actual` from `expected` under the tolerance of `dtype`."""
    if actual.shape != expected.shape:
        return Deviation(float("inf"), float("inf"))
    if not (np.isfinite(actual).all() and np.isfinite(expected).all()):
        return Deviation(float("inf"), float("inf"))
    difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
    if difference.size == 0:
        return Deviation()
    share = difference / TOLERANCES[dtype].allowed(expected)
    return Deviation(float(share.max()), float(difference.max()))
