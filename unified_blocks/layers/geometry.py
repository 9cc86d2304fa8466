"""Sizes along the axes of an image: windows, steps and padding."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, NamedTuple

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


def pads_in_numbers(block: str, padding: Any, rank: int) -> Pads:
    """The padding of each axis, where there is no window that "same" could fit.

    Raises:
        TypeError, ValueError: for anything else.
    """
    pads = pads_of(block, padding, rank)
    if pads is None:
        raise ValueError(
            f"{block}: padding must be in numbers; got padding={padding!r}: write a number, or a "
            "pair (before, after) for each axis"
        )
    return pads


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


class Windows(NamedTuple):
    """How the windows of a pooling go over an image.

    Attributes:
        sizes, strides: of the windows.
        pads: the padding; None for `"same"` with steps above 1, which depends on the input.
        over: `pads`, and at the end what the last windows reach beyond them.
    """

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    pads: Any
    over: Any


def windows_over(
    pool_size: Any, strides: Any, padding: Any, ceil_mode: bool | str, rank: int
) -> Windows:
    """The windows of a pooling, of its arguments.

    Without `ceil_mode` there are `⌊(n + before + after - k) / s⌋ + 1`. With it the division rounds
    up: `s - 1` more after the end give as many. Unless it is `"full"`, those windows that would
    start after the image are left out: `k - 1` are enough for the others.
    """
    sizes = per_axis("", "", pool_size, rank)
    steps = sizes if strides is None else per_axis("", "", strides, rank)
    pads = pads_of("", padding, rank)
    if pads is None:
        even = max(steps) == 1
        pads = fixed_pads(None, sizes, (1,) * rank) if even else None
        return Windows(sizes, steps, pads, pads)
    if not ceil_mode:
        return Windows(sizes, steps, pads, pads)
    over = tuple(
        (before, after + s - 1 if ceil_mode == "full" else min(after + s - 1, k - 1))
        for (before, after), k, s in zip(pads, sizes, steps, strict=True)
    )
    return Windows(sizes, steps, pads, over)


def beyond(over: Pads, pads: Pads) -> Pads:
    """What is in `over` and not in `pads`."""
    return tuple(
        (far_before - before, far_after - after)
        for (far_before, far_after), (before, after) in zip(over, pads, strict=True)
    )


def is_even(pads: Pads | None) -> bool:
    """Whether there is as much before as after an image, as most frameworks pad by themselves."""
    return pads is not None and all(before == after for before, after in pads)


def lengths(
    space: Sequence[int | None],
    windows: Sequence[int],
    strides: Sequence[int],
    pads: Pads | None,
    dilation: Sequence[int],
) -> tuple[int | None, ...]:
    """How many windows there are along each axis; None where the size is not known.

    Args:
        space: the sizes of an image.
        windows, strides, dilation: of its windows.
        pads: None for `"same"`.
    """
    pairs = pads or ((0, 0),) * len(windows)
    return tuple(
        None
        if n is None
        else -(-n // s)
        if pads is None
        else (n + before + after - (k - 1) * d - 1) // s + 1
        for n, k, s, (before, after), d in zip(
            space, windows, strides, pairs, dilation, strict=True
        )
    )
