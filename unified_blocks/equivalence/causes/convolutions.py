"""How a convolution, or a transposed one, may have been made that gives what one gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.equivalence.causes.settings import Setting
from unified_blocks.reference.numpy_ops import ACTIVATE
from unified_blocks.reference.policy import explains, wide
from unified_blocks.types import Array

MODES = ("constant", "reflect", "edge", "wrap")
"""What an image is padded with, as `numpy.pad` calls it: the first is 0."""
FEW = 8
"""How many output channels are looked at: the padding of all is that of one."""
SAMPLED = 64
"""How many numbers of these are looked at before all are."""
DILATIONS = 4


@dataclass(frozen=True)
class Kernel:
    """What makes some of the channels of an output.

    Attributes:
        weight: of shape (outputs, inputs, size, …).
        taken: the channels of the input that it takes.
    """

    weight: Array
    taken: slice


@dataclass(frozen=True)
class Convolved:
    """One example and some channels of what two layers made of it, channels first.

    Attributes:
        bias: of these channels, to be added to them.
    """

    x: Array
    a: Array
    b: Array
    kernels: Sequence[Kernel]
    bias: Array

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of the kernel, on each axis."""
        return self.kernels[0].weight.shape[2:]


def convolutions(e: Evidence) -> Iterator[tuple[list[Setting], list[Setting]]]:
    """The settings that give what each model gave, of a convolution and of a transposed one."""
    weight = e.numbers.get("weight")
    if weight is None or e.x is None or not weight.ndim == e.x.ndim >= 3:
        return
    for transposed, settings in ((False, _convolution), (True, _transposed)):
        image = _image(e, weight, transposed)
        if image is not None:
            yield from settings(e, image)


def _image(e: Evidence, weight: Array, transposed: bool) -> Convolved | None:
    """What is looked at, if the sizes are those of such a layer."""
    assert e.x is not None
    assert e.a is not None
    assert e.b is not None
    arrays = [wide(array) for array in (e.x, e.a, e.b)]
    bias = e.numbers.get("bias")
    for channels in (1, -1):
        x, a, b = (np.moveaxis(array, channels, 1) for array in arrays)
        outputs = a.shape[1]
        if b.shape[1] != outputs or (bias is not None and bias.shape != (outputs,)):
            continue
        groups = _groups(weight.shape, x.shape[1], outputs, transposed)
        if groups is None:
            continue
        each, most = outputs // groups, int(np.argmax(np.abs(x).reshape(len(x), -1).sum(1)))
        picked = np.unique(np.linspace(0, outputs - 1, FEW).astype(int))
        inputs, kernels = x.shape[1] // groups, []
        for group in np.unique(picked // each):
            taken = slice(group * inputs, (group + 1) * inputs)
            mine = picked[picked // each == group]
            own = weight[taken, mine % each].swapaxes(0, 1) if transposed else weight[mine]
            kernels.append(Kernel(wide(own), taken))
        added = np.zeros(len(picked)) if bias is None else wide(bias)[picked]
        added = added.reshape(-1, *[1] * (x.ndim - 2))
        return Convolved(x[most], a[most, picked], b[most, picked], kernels, added)
    return None


def _groups(shape: Sequence[int], inputs: int, outputs: int, transposed: bool) -> int | None:
    """Of a layer with a weight of this shape; None if it cannot be between so many channels."""
    whole, part = (inputs, outputs) if transposed else (outputs, inputs)
    groups, rest = divmod(part, shape[1])
    fits = shape[0] == whole and not rest and groups and not whole % groups
    return groups if fits else None


def _convolution(e: Evidence, image: Convolved) -> Iterator[tuple[list[Setting], list[Setting]]]:
    sizes, reach = image.x.shape[1:], [k - 1 for k in image.sizes]
    widest = min((n // r for n, r in zip(sizes, reach, strict=True) if r), default=1)
    for dilation in range(1, min(max(widest, 1), DILATIONS) + 1):
        # What is padded with 0 is as a rule, and is enough.
        found: dict[int, list[Setting]] = {0: [], 1: []}
        for mode in MODES:
            left = [model for model, settings in found.items() if not settings]
            if left:
                everywhere = _at_each_place(image, dilation, mode)
                for model in left:
                    y = (image.a, image.b)[model]
                    found[model] = list(_strided(e, image, everywhere, y, dilation, mode))
        yield found[0], found[1]


def _at_each_place(image: Convolved, dilation: int, mode: str) -> Array:
    """The products of a kernel with every part of an image that it touches, padded all around."""
    around = [dilation * (size - 1) for size in image.sizes]
    axes = tuple(range(1, image.x.ndim))
    padded = np.pad(image.x, [(0, 0), *((w, w) for w in around)], mode)  # type: ignore[call-overload]
    windows = np.lib.stride_tricks.sliding_window_view(padded, [w + 1 for w in around], axes)  # type: ignore[call-overload]
    windows = windows[(..., *[slice(None, None, dilation)] * len(axes))]
    taps = [axis + len(axes) for axis in axes]
    parts = [
        np.tensordot(
            kernel.weight, windows[kernel.taken], ([1, *(a + 1 for a in axes)], [0, *taps])
        )
        for kernel in image.kernels
    ]
    return np.concatenate(parts) + image.bias


def _strided(
    e: Evidence, image: Convolved, everywhere: Array, y: Array, dilation: int, mode: str
) -> Iterator[Setting]:
    """The settings with which the convolution gives `y`."""
    sizes = list(zip(image.x.shape[1:], y.shape[1:], image.sizes, strict=True))
    for stride in range(1, max(image.x.shape[1:]) + 1):
        places = [list(_befores(n, m, k, stride, dilation)) for n, m, k in sizes]
        for before in product(*places):
            starts = [dilation * (k - 1) - b for b, (_, _, k) in zip(before, sizes, strict=True)]
            z = everywhere[
                (
                    slice(None),
                    *(
                        slice(start, start + (m - 1) * stride + 1, stride)
                        for start, (_, m, _) in zip(starts, sizes, strict=True)
                    ),
                )
            ]
            for activation in _activations(e, z, y):
                yield Setting((stride, dilation, activation), (before, mode))


def _befores(n: int, m: int, k: int, stride: int, dilation: int) -> Iterator[int]:
    """How much padding there may be before an axis of size `n`, that becomes `m`."""
    reach = dilation * (k - 1)
    both = (m - 1) * stride + reach + 1 - n
    for before in range(reach + 1):
        after = both - before
        if -stride < after <= reach:
            yield before


def _transposed(e: Evidence, image: Convolved) -> Iterator[tuple[list[Setting], list[Setting]]]:
    """Of a transposed convolution the padding is what is cut off before and after."""
    largest = max(*image.a.shape[1:], *image.b.shape[1:])
    for dilation in range(1, DILATIONS + 1):
        found: tuple[list[Setting], list[Setting]] = ([], [])
        for stride in range(1, largest + 1):
            reach = [dilation * (k - 1) for k in image.sizes]
            for settings, y in zip(found, (image.a, image.b), strict=True):
                sizes = list(zip(image.x.shape[1:], y.shape[1:], reach, strict=True))
                befores = [
                    [b for b in range(r + 1) if -r <= m + b - (n - 1) * stride - 1 - r < stride]
                    for n, m, r in sizes
                ]
                if not all(befores):
                    continue
                whole = _spread(image, stride, dilation)
                for before in product(*befores):
                    ends = [b + m for b, m in zip(before, y.shape[1:], strict=True)]
                    z = whole[(slice(None), *map(slice, before, ends))] + image.bias
                    for activation in _activations(e, z, y):
                        settings.append(Setting((stride, dilation, activation), (before,)))
        yield found


def _spread(image: Convolved, stride: int, dilation: int) -> Array:
    """All that the kernels make of each pixel, added up, and zeros after it."""
    x, sizes = image.x, image.sizes
    ends = [(n - 1) * stride + dilation * (k - 1) for n, k in zip(x.shape[1:], sizes, strict=True)]
    made = []
    for kernel in image.kernels:
        parts = np.tensordot(kernel.weight, x[kernel.taken], (1, 0))  # (outputs, *sizes, *image)
        whole = np.zeros((len(kernel.weight), *(end + stride for end in ends)))
        for tap in np.ndindex(*sizes):
            places = (
                slice(i * dilation, i * dilation + (n - 1) * stride + 1, stride)
                for i, n in zip(tap, x.shape[1:], strict=True)
            )
            at: Any = (slice(None), *tap)
            whole[(slice(None), *places)] += parts[at]
        made.append(whole)
    return np.concatenate(made)


def _activations(e: Evidence, z: Array, y: Array) -> Iterator[str | None]:
    """The activations that turn `z` into `y`."""
    if z.shape != y.shape:
        return
    picked = np.unique(np.linspace(0, y.size - 1, SAMPLED).astype(int))
    some, wanted = z.reshape(-1)[picked], y.reshape(-1)[picked]
    functions: dict[str | None, Callable[[Array], Array]] = {**ACTIVATE}
    for name, function in functions.items():
        if explains(function(some), wanted, e.dtype) and explains(function(z), y, e.dtype):
            yield name
