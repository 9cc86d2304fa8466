"""Layers that change the size of images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unified_blocks.block import argument
from unified_blocks.block.arguments import declared
from unified_blocks.layers.geometry import per_axis
from unified_blocks.layers.images import ImageLayer
from unified_blocks.ops.images import check_method
from unified_blocks.types import Array, State


class UpSampling2D(ImageLayer):
    """Images that are so many times as large, as `ops.resize` makes them.

    Args:
        size: how many times: a number for both axes, or one for each.
        interpolation: `"nearest"`, each element repeated, or `"bilinear"`, straight lines between
            them.
        align_corners: of `"bilinear"`, whether the corners stay those of the image. Default False,
            as PyTorch and Keras.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.

    Shape:
        Input `(n, c, h, w)`, output `(n, c, size h, size w)`; in the layout `"channels_last"` the
        channels are at the end.

    Raises:
        TypeError, ValueError: for arguments that are not as told here.

    Example::

        layer = ub.UpSampling2D((1, 2), interpolation="bilinear")
        layer(ub.from_numpy([[[[0.0, 1.0]]]]))  # [[[[0.0, 0.25, 0.75, 1.0]]]]
    """

    rank = 2

    @declared
    def __init__(
        self,
        size: int | tuple[int, int] = 2,
        *,
        interpolation: str = "nearest",
        align_corners: bool = False,
        layout: str | None = None,
    ) -> None: ...

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        name = cls.__name__
        per_axis(name, "size", values["size"], 2)
        check_method(name, "interpolation", values["interpolation"], values["align_corners"])

    def of_channels_first(self, state: State, X: Array) -> Array:
        for axis, factor in zip((2, 3), per_axis("", "", argument(self, "size"), 2), strict=True):
            X = enlarged(
                X, axis, factor, argument(self, "interpolation"), argument(self, "align_corners")
            )
        return X


def enlarged(X: Array, axis: int, factor: int, interpolation: str, align_corners: bool) -> Array:
    """`X` so many times as large along one axis."""
    if interpolation == "nearest":
        return np.repeat(X, factor, axis)
    n, m = X.shape[axis], factor * X.shape[axis]
    at = (np.arange(m) + 0.5) / factor - 0.5
    if align_corners:
        at = np.arange(m) * (n - 1) / max(m - 1, 1)
    distance = np.abs(np.clip(at, 0, n - 1)[:, None] - np.arange(n))
    shares = np.maximum(1 - distance, 0)  # (m, n)
    return np.moveaxis(np.tensordot(shares, X, (1, axis)), 0, axis)


class PixelShuffle(ImageLayer):
    """Channels that become pixels: `Y[n, c, h·r + i, w·r + j] = X[n, c·r² + i·r + j, h, w]`.

    Args:
        factor: r.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.

    Shape:
        Input `(n, c r², h, w)`, output `(n, c, h r, w r)`; in the layout `"channels_last"` the
        channels are at the end, in the same order (TensorFlow's `depth_to_space` has another).

    Raises:
        TypeError, ValueError: for a factor that is not a whole number of at least 1.

    Source:
        Shi et al., "Real-Time Single Image and Video Super-Resolution", 2016.

    Example::

        net = ub.MySequential(ub.Conv2D(3 * 4, 3, padding=1), ub.PixelShuffle(2))
        net(ub.from_numpy(np.ones((2, 3, 8, 8), "float32")))  # (2, 3, 16, 16)
    """

    rank = 2

    @declared
    def __init__(self, factor: int, *, layout: str | None = None) -> None: ...

    def of_channels_first(self, state: State, X: Array) -> Array:
        n, c, h, w = X.shape
        r = argument(self, "factor")
        apart = X.reshape(n, c // r**2, r, r, h, w)
        return apart.transpose(0, 1, 4, 2, 5, 3).reshape(n, c // r**2, h * r, w * r)
