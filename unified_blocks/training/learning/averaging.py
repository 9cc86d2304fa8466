"""Running averages of parameters: `e = d e + (1 - d) w` after each update, e being w at first.

(Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", with weights that
fall off.) They are of the parameters that are trained; statistics and constants are as they are.
"""

from __future__ import annotations


def wide(dtype: str) -> str:
    """In which dtype parameters of this one are averaged: those of half precision in float32."""
    return "float32" if dtype in ("bfloat16", "float16") else dtype
