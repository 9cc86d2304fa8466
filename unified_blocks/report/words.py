"""Numbers and findings as a reader wants them."""

from __future__ import annotations

import math


def number(value: float) -> str:
    """A number in few characters: `0`, `0.0031`, `8,670`, `1.2e-16`, `∞`."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:,.0f}" if 99.5 <= value < 1e6 else f"{value:.2g}"


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
