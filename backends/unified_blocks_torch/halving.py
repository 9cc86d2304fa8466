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
    powers = power_of_two(torch.arange(exponents, device=H.device), exponents)
    # Of one element, not of none: Inductor asks the device for an index that is a number.
    k = (total > powers.to(dtype)).sum(0, keepdim=True)
    first = k // 2
    once, again = (1 / power_of_two(n, exponents) for n in (first, k - first))
    return H * torch.where(torch.isfinite(total), once.to(dtype), torch.nan) * again.to(dtype)


def power_of_two(n: torch.Tensor, end: int) -> torch.Tensor:
    """2^n in float64 of whole numbers 0 ≤ n < end ≤ 1024, exactly.

    It is made of the powers for the bits of n: a GPU's `pow` rounds, and ONNX takes no number for
    the bits of another. Nor does it take one above those of float32.
    """
    power = torch.ones_like(n, dtype=torch.float64)
    factor = torch.full((), 2.0, dtype=torch.float64, device=n.device)
    for bit in range((end - 1).bit_length()):
        power = torch.where(n // 2**bit % 2 == 1, power * factor, power)
        factor = factor * factor
    return power
