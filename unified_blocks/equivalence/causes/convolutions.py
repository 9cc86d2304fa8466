"""Causes that lie in a convolution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.reference.numpy_ops import ACTIVATE
from unified_blocks.reference.policy import explains, wide
from unified_blocks.types import Array

SAMPLED = 64
"""How many numbers of an output are looked at before all are."""


def another_padding(e: Evidence) -> bool:
    """A convolution is padded otherwise: before or after the image, or not as much."""
    image = _image(e)
    if image is None:
        return False
    x, a, b, weight, bias = image
    for dilation in _dilations(x.shape[1:], weight.shape[2:]):
        everywhere = at_each_place(x, weight, dilation)
        everywhere += bias.reshape(-1, *[1] * (x.ndim - 1))
        for right in _found(e, everywhere, x, weight, a, dilation):
            for wrong in _found(e, everywhere, x, weight, b, dilation):
                if (right.stride, right.activation) == (wrong.stride, wrong.activation):
                    return right.before != wrong.before or a.shape != b.shape
    return False


@dataclass(frozen=True)
class Setting:
    """How a convolution may have been made."""

    stride: int
    before: tuple[int, ...]
    activation: str | None


def _image(e: Evidence) -> tuple[Array, Array, Array, Array, Array] | None:
    """One example with its outputs, channels first, and the numbers of the layer."""
    weight = e.numbers.get("weight")
    if e.what != "call" or e.x is None or e.a is None or e.b is None or weight is None:
        return None
    if not weight.ndim == e.x.ndim == e.a.ndim == e.b.ndim >= 3:
        return None
    arrays = [wide(array) for array in (e.x, e.a, e.b)]
    if e.a.shape[1] != len(weight):
        arrays = [np.moveaxis(array, -1, 1) for array in arrays]
    x, a, b = arrays
    groups, rest = divmod(x.shape[1], weight.shape[1])
    if rest or not groups or len(weight) % groups or not a.shape[1] == b.shape[1] == len(weight):
        return None
    most = int(np.argmax(np.abs(x).reshape(len(x), -1).sum(1)))
    return x[most], a[most], b[most], wide(weight), wide(e.numbers.get("bias", np.zeros(1)))


def at_each_place(x: Array, weight: Array, dilation: int) -> Array:
    """The products of a kernel with every part of an image that it touches, zeros around it."""
    wide_of = [dilation * (size - 1) for size in weight.shape[2:]]
    padded = np.pad(x, [(0, 0), *((w, w) for w in wide_of)])
    axes = tuple(range(1, x.ndim))
    windows = np.lib.stride_tricks.sliding_window_view(padded, [w + 1 for w in wide_of], axes)  # type: ignore[call-overload]
    windows = windows[(..., *[slice(None, None, dilation)] * len(axes))]
    inside = weight.shape[1]
    groups = x.shape[0] // inside
    outputs = len(weight) // groups
    inner = (1, *range(2, weight.ndim))
    parts = [
        np.tensordot(
            weight[g * outputs : (g + 1) * outputs],
            windows[g * inside : (g + 1) * inside],
            (inner, (0, *range(x.ndim, 2 * x.ndim - 1))),
        )
        for g in range(groups)
    ]
    return np.concatenate(parts)


def _dilations(sizes: tuple[int, ...], kernel: tuple[int, ...]) -> Iterator[int]:
    """Those with which the kernel is no wider than the image."""
    widest = min(
        (size // (k - 1) for size, k in zip(sizes, kernel, strict=True) if k > 1), default=1
    )
    yield from range(1, min(max(widest, 1), 4) + 1)


def _found(
    e: Evidence, everywhere: Array, x: Array, weight: Array, y: Array, dilation: int
) -> Iterator[Setting]:
    """The settings with which the convolution gives `y`."""
    picked = np.unique(np.linspace(0, y.size - 1, SAMPLED).astype(int))
    for stride in range(1, max(x.shape[1:]) + 1):
        places = [
            list(_befores(n, m, k, stride, dilation))
            for n, m, k in zip(x.shape[1:], y.shape[1:], weight.shape[2:], strict=True)
        ]
        for before in product(*places):
            z = everywhere[
                (
                    slice(None),
                    *(
                        slice(start := dilation * (k - 1) - b, start + (m - 1) * stride + 1, stride)
                        for b, m, k in zip(before, y.shape[1:], weight.shape[2:], strict=True)
                    ),
                )
            ]
            for activation in _activations(e, z, y, picked):
                yield Setting(stride, before, activation)


def _befores(n: int, m: int, k: int, stride: int, dilation: int) -> Iterator[int]:
    """How much padding there may be before an axis of size `n`, that becomes `m`."""
    reach = dilation * (k - 1)
    both = (m - 1) * stride + reach + 1 - n
    for before in range(reach + 1):
        after = both - before
        if -stride < after <= reach:
            yield before


def _activations(e: Evidence, z: Array, y: Array, picked: Array) -> Iterator[str | None]:
    """The activations that turn `z` into `y`."""
    some, wanted = z.reshape(-1)[picked], y.reshape(-1)[picked]
    for name, function in ACTIVATE.items():
        if explains(function(some), wanted, e.dtype) and explains(function(z), y, e.dtype):
            yield name
