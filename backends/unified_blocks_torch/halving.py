"""The loop of FixedHiddenMLP, for graphs that have none."""

from __future__ import annotations

import math

import torch


def halved(H: torch.Tensor) -> torch.Tensor:
    """`while sum(|H|) > 1: H = H / 2` without a loop: the same bits, nan where it must fail."""
    total = H.detach().abs().sum()
    exponents = math.frexp(torch.finfo(H.dtype).max)[1]  # 128 in float32, 1024 in float64
    powers = 2.0 ** torch.arange(exponents, device=H.device, dtype=torch.float64)
    # Of one element, not of none: Inductor asks the device for an index that is a number.
    k = (total > powers.to(H.dtype)).sum(0, keepdim=True)
    halves = (1 / powers).to(H.dtype)
    scale = torch.where(torch.isfinite(total), halves[k // 2], torch.nan)
    return H * scale * halves[k - k // 2]
