"""Sizes along the axes of an image: windows, steps and padding."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

Pads = tuple[tuple[int, int], ...]
"""How many zeros are before and after an image, for each axis of space."""


def per_axis(block: str, parameter: str, value: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """A size for each axis of space, of one for all or a list or tuple with one for each.

    Raises:
        TypeError: for what is no whole number.
        ValueError: for a number below `least`, or another number of them.
    """
    given = value if isinstance(value, list | tuple) else (value,) * rank
    if len(given) != rank:
        raise ValueError(
            f"{block}: {parameter} must be one whole number or {rank}, one for each axis of space; "
            f"got {parameter}={value!r}"
        )
    for size in given:
        if isinstance(size, bool) or not hasattr(size, "__index__"):
            raise TypeError(
                f"{block}: {parameter} must be whole numbers; got {parameter}={value!r}"
            )
        if index(size) < least:
            raise ValueError(
                f"{block}: {parameter} must be at least {least}; got {parameter}={value!r}"
            )
    return tuple(map(index, given))


def pads_of(block: str, padding: Any, rank: int) -> Pads | None:
    """The padding of each axis; None for `"same"`, which depends on the input.

    Args:
        block: the name of the layer.
        padding: as a layer takes it.
        rank: the number of axes of space.

    Raises:
        TypeError, ValueError: for anything else.
    """
    if padding == "same":
        return None
    if isinstance(padding, str):
        raise ValueError(
            f'{block}: padding must be numbers or "same"; got padding={padding!r}: for none at all '
            "write padding=0"
        )
    given = padding if isinstance(padding, list | tuple) else (padding,) * rank
    if len(given) != rank:
        raise ValueError(
            f"{block}: padding must be one whole number, or one for each of {rank} axes, or a pair "
            f"(before, after) for each; got padding={padding!r}"
        )
    pairs = [
        per_axis(block, "padding", each, 2, least=0)
        if isinstance(each, list | tuple)
        else per_axis(block, "padding", (each, each), 2, least=0)
        for each in given
    ]
    return tuple((before, after) for before, after in pairs)


def same_pads(
    sizes: Sequence[int], windows: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> Pads:
    """TensorFlow's padding `"same"`: ⌈n / s⌉ windows; the extra one at the end."""
    pads = []
    for n, k, s, d in zip(sizes, windows, strides, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        pads.append((total // 2, total - total // 2))
    return tuple(pads)


def fixed_pads(pads: Pads | None, windows: Sequence[int], dilation: Sequence[int]) -> Pads:
    """`pads`; those of `"same"` with steps of 1, which do not depend on the input."""
    return pads if pads is not None else same_pads((1,) * len(windows), windows, windows, dilation)
