"""The loop of FixedHiddenMLP, for graphs that have none."""

from __future__ import annotations

import math

import numpy as np

from unified_blocks_mxnet.whole_numbers import namespace


def halved(H, dtype):
    """`while sum(|H|) > 1: H = H / 2` without a loop: the same bits, nan where it must fail.

    `dtype` is that of `H`, which a symbol does not tell.
    """
    F = namespace(H)
    total = F.np.sum(F.np.abs(H))
    exponents = math.frexp(float(np.finfo(dtype).max))[1]  # 128 in float32, 1024 in float64
    powers = F.np.power(2.0, F.np.arange(exponents, dtype=dtype))
    k = F.np.sum(F.np.greater(total, powers).astype(dtype))
    first = F.np.floor(k / 2)
    scale = F.np.where(F.np.isfinite(total), F.np.power(2.0, -first), total * 0 + np.nan)
    return H * scale * F.np.power(2.0, first - k)
