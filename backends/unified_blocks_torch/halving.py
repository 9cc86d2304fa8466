"""The loop of FixedHiddenMLP, for graphs that have none."""

from __future__ import annotations

import math

import torch


def halved(H: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """`while sum(|H|) > 1: H = H / 2` without a loop: the same bits, nan where it must fail.

    `dtype` is that of `H`.
    """
    total = H.detach().abs().sum()
    exponents = math.frexp(torch.finfo(dtype).max)[1]  # 128 in float32, 1024 in float64
    powers = power_of_two(torch.arange(exponents, device=H.device))
    # Of one element, not of none: Inductor asks the device for an index that is a number.
    k = (total > powers.to(dtype)).sum(0, keepdim=True)
    first = k // 2
    scale = torch.where(torch.isfinite(total), power_of_two(-first).to(dtype), torch.nan)
    return H * scale * power_of_two(first - k).to(dtype)


def power_of_two(exponents: torch.Tensor) -> torch.Tensor:
    """2^n in float64 of whole numbers -1023 < n < 1024: by its bits, since a GPU's `pow` rounds."""
    return (exponents + 1023).bitwise_left_shift(52).view(torch.float64)
