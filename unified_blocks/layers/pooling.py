"""Pooling: one number of each window of an image, its largest or its mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from unified_blocks.block import argument
from unified_blocks.block.arguments import declared
from unified_blocks.layers.convolutions import windows_of
from unified_blocks.layers.geometry import Pads, beyond, pads_of, per_axis, same_pads, windows_over
from unified_blocks.layers.images import ImageLayer
from unified_blocks.types import Array, State

CEIL_MODES = (False, True, "full")


class Pooling(ImageLayer):
    """Base of the layers that take one number of each window."""

    rank: ClassVar[int]

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        name = cls.__name__
        sizes = per_axis(name, "pool_size", values["pool_size"], cls.rank)
        if values["strides"] is not None:
            per_axis(name, "strides", values["strides"], cls.rank)
        padding, ceil_mode = values["padding"], values["ceil_mode"]
        pads = pads_of(name, padding, cls.rank)
        if ceil_mode not in CEIL_MODES:
            raise ValueError(
                f'{name}: ceil_mode must be False, True or "full"; got ceil_mode={ceil_mode!r}'
            )
        if pads is None and ceil_mode:
            raise ValueError(
                f'{name}: ceil_mode must be False where padding="same", which has a window for '
                f"each step; got ceil_mode={ceil_mode!r}"
            )
        if pads is not None and any(max(pair) >= k for pair, k in zip(pads, sizes, strict=True)):
            raise ValueError(
                f"{name}: padding must be below pool_size, or windows would see nothing else; got "
                f"padding={padding!r} and pool_size={values['pool_size']!r}"
            )

    def geometry(self, space: tuple[int, ...]) -> tuple[Any, Any, Pads, Pads]:
        """The sizes and steps of windows, their pads, and those with what reaches beyond."""
        sizes, strides, pads, over = windows_over(
            argument(self, "pool_size"),
            argument(self, "strides"),
            argument(self, "padding"),
            argument(self, "ceil_mode"),
            self.rank,
        )
        if pads is None:
            pads = over = same_pads(space, sizes, strides, (1,) * self.rank)
        return sizes, strides, pads, over


class MaxPool(Pooling):
    """Base of the layers that take the largest number of each window."""

    @declared
    def __init__(
        self,
        pool_size: int | tuple[int, ...],
        strides: int | tuple[int, ...] | None = None,
        padding: Any = 0,
        *,
        ceil_mode: bool | str = False,
        layout: str | None = None,
    ) -> None: ...

    def of_channels_first(self, state: State, X: Array) -> Array:
        sizes, strides, _, over = self.geometry(X.shape[2:])
        seen = windows_of(X, sizes, strides, over, (1,) * self.rank, -np.inf)
        return np.asarray(seen.max(tuple(range(-self.rank, 0))))  # (n, c, *out)


class AvgPool(Pooling):
    """Base of the layers that take the mean of each window."""

    @declared
    def __init__(
        self,
        pool_size: int | tuple[int, ...],
        strides: int | tuple[int, ...] | None = None,
        padding: Any = 0,
        *,
        ceil_mode: bool | str = False,
        count_include_pad: bool = True,
        layout: str | None = None,
    ) -> None: ...

    def of_channels_first(self, state: State, X: Array) -> Array:
        sizes, strides, pads, over = self.geometry(X.shape[2:])
        one, axes = (1,) * self.rank, tuple(range(-self.rank, 0))
        total = windows_of(X, sizes, strides, over, one).sum(axes)  # (n, c, *out)
        counts = np.ones((1, 1, *X.shape[2:]))
        if argument(self, "count_include_pad"):
            counts = np.pad(counts, ((0, 0), (0, 0), *pads), constant_values=1)
            over = beyond(over, pads)
        number = windows_of(counts, sizes, strides, over, one).sum(axes)
        return np.asarray(total / np.maximum(number, 1))


class GlobalPool(ImageLayer):
    """Base of the layers that take one number of each channel."""

    rank: ClassVar[int]

    @declared
    def __init__(self, *, layout: str | None = None) -> None: ...


class GlobalMaxPool(GlobalPool):
    """Base of the layers that take the largest number of each channel."""

    def of_channels_first(self, state: State, X: Array) -> Array:
        return np.asarray(X.max(tuple(range(2, X.ndim)), keepdims=True))


class GlobalAvgPool(GlobalPool):
    """Base of the layers that take the mean of each channel."""

    def of_channels_first(self, state: State, X: Array) -> Array:
        return np.asarray(X.mean(tuple(range(2, X.ndim)), keepdims=True))


class MaxPool1D(MaxPool):
    """The largest number of each window of one axis: as `MaxPool2D`, on `(n, c, t)`.

    Shape:
        Input `(n, c, t)`, output `(n, c, t')`; in the layout `"channels_last"` `(n, t, c)`.

    Example::

        layer = ub.MaxPool1D(3, strides=1, padding="same")
        layer(ub.from_numpy([[[1.0, 5.0, 2.0, 0.0]]]))  # [[[5, 5, 5, 2]]]
    """

    rank = 1


class MaxPool2D(MaxPool):
    """The largest number of each window: `Y[n, c, i, j] = max X[n, c, i·s + p - before, …]`.

    Outside of the image is -∞, so that it is never the largest.

    Args:
        pool_size: k, of the window: a number for all axes, or one for each.
        strides: s, the steps of the window; default: `pool_size`, as all frameworks.
        padding: as of `Conv2D`: a number for all axes; one for each; a pair `(before, after)` for
            each; or `"same"`, ⌈n / s⌉ outputs. It is below `pool_size`.
        ceil_mode: whether a window may reach beyond the padding at the end: False; True, but not
            one that would start there, as PyTorch; or `"full"`, one that starts there too, as
            Gluon and Caffe. What sees nothing of the image gives the lowest number of the dtype,
            or -∞, as the framework has it.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.

    Shape:
        Input `(n, c, h, w)`, output `(n, c, h', w')`, with
        `h' = ⌊(h + before + after - k) / s⌋ + 1`, or `⌈…⌉ + 1` with `ceil_mode`. In the layout
        `"channels_last"` `(n, h, w, c)` and `(n, h', w', c)`.

    Raises:
        TypeError, ValueError: for arguments that are not as told here.

    Example::

        layer = ub.MaxPool2D(3, strides=2, padding=1)
        layer(ub.from_numpy(np.ones((2, 3, 32, 32), "float32")))  # (2, 3, 16, 16)
    """

    rank = 2


class MaxPool3D(MaxPool):
    """The largest number of each window of three axes: as `MaxPool2D`, on `(n, c, d, h, w)`.

    Shape:
        Input `(n, c, d, h, w)`, output `(n, c, d', h', w')`; in the layout `"channels_last"`
        `(n, d, h, w, c)`.

    Example::

        layer = ub.MaxPool3D((1, 2, 2))
        layer(ub.from_numpy(np.ones((2, 3, 4, 8, 8), "float32")))  # (2, 3, 4, 4, 4)
    """

    rank = 3


class AvgPool1D(AvgPool):
    """The mean of each window of one axis: as `AvgPool2D`, on `(n, c, t)`.

    Shape:
        Input `(n, c, t)`, output `(n, c, t')`; in the layout `"channels_last"` `(n, t, c)`.

    Example::

        ub.AvgPool1D(2)(ub.from_numpy([[[1.0, 5.0, 2.0, 0.0]]]))  # [[[3, 1]]]
    """

    rank = 1


class AvgPool2D(AvgPool):
    """The mean of each window: `Y[n, c, i, j] = Σ X[n, c, i·s + p - before, …] / count`.

    The sum is of what the window sees of the image. The count is of what it sees of the image and
    of its padding, or with `count_include_pad=False` of the image alone. What of a window is beyond
    the padding, as there may be with `ceil_mode`, never counts: so PyTorch and Gluon have it. A
    window that sees nothing of the image gives 0.

    Args:
        pool_size: k, of the window: a number for all axes, or one for each.
        strides: s, the steps of the window; default: `pool_size`, as all frameworks.
        padding: as of `Conv2D`: a number for all axes; one for each; a pair `(before, after)` for
            each; or `"same"`, ⌈n / s⌉ outputs. It is below `pool_size`.
        ceil_mode: False, True or `"full"`: as of `MaxPool2D`.
        count_include_pad: default True, as PyTorch and Gluon (Keras' padding never counts).
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.

    Shape:
        As of `MaxPool2D`.

    Raises:
        TypeError, ValueError: for arguments that are not as told here.

    Source:
        LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998.

    Example::

        layer = ub.AvgPool2D(2, strides=2)
        layer(ub.from_numpy([[[[1.0, 2.0], [3.0, 6.0]]]]))  # [[[[3]]]]
    """

    rank = 2


class AvgPool3D(AvgPool):
    """The mean of each window of three axes: as `AvgPool2D`, on `(n, c, d, h, w)`.

    Shape:
        Input `(n, c, d, h, w)`, output `(n, c, d', h', w')`; in the layout `"channels_last"`
        `(n, d, h, w, c)`.

    Example::

        layer = ub.AvgPool3D(2, padding=1, count_include_pad=False)
        layer(ub.from_numpy(np.ones((2, 3, 4, 8, 8), "float32")))  # (2, 3, 3, 5, 5)
    """

    rank = 3


class GlobalMaxPool1D(GlobalMaxPool):
    """The largest number of each channel of `(n, c, t)`: `(n, c, 1)`.

    Example::

        ub.GlobalMaxPool1D()(ub.from_numpy([[[1.0, 5.0], [2.0, 0.0]]]))  # [[[5], [2]]]
    """

    rank = 1


class GlobalMaxPool2D(GlobalMaxPool):
    """The largest number of each channel of `(n, c, h, w)`: `(n, c, 1, 1)`.

    As of `GlobalAvgPool2D`, the axes of space stay.

    Example::

        ub.GlobalMaxPool2D()(ub.from_numpy(np.ones((2, 3, 8, 8), "float32")))  # (2, 3, 1, 1)
    """

    rank = 2


class GlobalMaxPool3D(GlobalMaxPool):
    """The largest number of each channel of `(n, c, d, h, w)`: `(n, c, 1, 1, 1)`.

    Example::

        ub.GlobalMaxPool3D()(ub.from_numpy(np.ones((2, 3, 4, 8, 8), "float32")))  # (2, 3, 1, 1, 1)
    """

    rank = 3


class GlobalAvgPool1D(GlobalAvgPool):
    """The mean of each channel of `(n, c, t)`: `(n, c, 1)`.

    Example::

        ub.GlobalAvgPool1D()(ub.from_numpy([[[1.0, 5.0], [2.0, 0.0]]]))  # [[[3], [1]]]
    """

    rank = 1


class GlobalAvgPool2D(GlobalAvgPool):
    """The mean of each channel of `(n, c, h, w)`: `(n, c, 1, 1)`.

    The axes of space stay, with size 1, as in PyTorch and Gluon (Keras drops them): `Flatten` gives
    `(n, c)`.

    Args:
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.

    Shape:
        Input `(n, c, h, w)`, output `(n, c, 1, 1)`; in the layout `"channels_last"`
        `(n, h, w, c)` and `(n, 1, 1, c)`.

    Source:
        Lin et al., "Network in Network", 2013.

    Example::

        net = ub.MySequential(ub.Conv2D(10, 3), ub.GlobalAvgPool2D(), ub.Flatten())
        net(ub.from_numpy(np.ones((2, 3, 8, 8), "float32")))  # (2, 10)
    """

    rank = 2


class GlobalAvgPool3D(GlobalAvgPool):
    """The mean of each channel of `(n, c, d, h, w)`: `(n, c, 1, 1, 1)`.

    Example::

        ub.GlobalAvgPool3D()(ub.from_numpy(np.ones((2, 3, 4, 8, 8), "float32")))  # (2, 3, 1, 1, 1)
    """

    rank = 3


class AdaptiveAvgPool2D(ImageLayer):
    """The means of so many windows as wanted, which divide the image as evenly as they can.

    Window i of m is from `⌊i n / m⌋` to `⌈(i + 1) n / m⌉` (excluded), on each axis: two neighbours
    may share an element.

    Args:
        output_size: m: a number for both axes, or one for each.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.

    Shape:
        Input `(n, c, h, w)`, output `(n, c, *output_size)`; in the layout `"channels_last"`
        `(n, h, w, c)` and `(n, *output_size, c)`.

    Raises:
        TypeError, ValueError: for another size.

    Source:
        `torch.nn.AdaptiveAvgPool2d`.

    Example::

        layer = ub.AdaptiveAvgPool2D((6, 6))
        layer(ub.from_numpy(np.ones((2, 3, 13, 20), "float32")))  # (2, 3, 6, 6)
    """

    rank = 2

    @declared
    def __init__(
        self, output_size: int | tuple[int, int], *, layout: str | None = None
    ) -> None: ...

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        per_axis(cls.__name__, "output_size", values["output_size"], 2)

    def of_channels_first(self, state: State, X: Array) -> Array:
        for axis, m in zip((2, 3), per_axis("", "", argument(self, "output_size"), 2), strict=True):
            n = X.shape[axis]
            bounds = [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
            means = [X.take(range(*each), axis).mean(axis) for each in bounds]
            X = np.stack(means, axis)
        return X
