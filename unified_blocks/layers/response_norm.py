"""`LocalResponseNorm`: each channel weakened by its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unified_blocks.block import argument
from unified_blocks.block.arguments import declared
from unified_blocks.block.rules import check_size
from unified_blocks.layers.images import ImageLayer
from unified_blocks.types import Array, State


class LocalResponseNorm(ImageLayer):
    """`X / (k + alpha / size · Σ X²)^beta`, the sum over the `size` channels around each.

    Of an even number, one more is before the channel than after it. Outside there are zeros.

    Args:
        size: how many channels are summed, the channel itself among them.
        alpha: divided by `size`, as PyTorch, Gluon and Caffe have it (TensorFlow does not divide).
            Default 1e-4.
        beta: the exponent. Default 0.75.
        k: what is added. Default 1, as PyTorch (2 in Gluon and in the source).
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.

    Shape:
        Input `(n, c, *)` of at least three axes, output the same; in the layout `"channels_last"`
        `(n, *, c)`.

    Source:
        Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural
        Networks", 2012, which does not divide by `size`.

    Example::

        layer = ub.LocalResponseNorm(5, k=2.0)
        layer(ub.from_numpy(np.ones((2, 16, 8, 8), "float32")))  # (2, 16, 8, 8)
    """

    @declared
    def __init__(
        self,
        size: int,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 1.0,
        *,
        layout: str | None = None,
    ) -> None: ...

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        check_size(cls.__name__, "size", values["size"])

    def of_channels_first(self, state: State, X: Array) -> Array:
        size, alpha, beta, k = (argument(self, each) for each in ("size", "alpha", "beta", "k"))
        around = np.pad(X**2, ((0, 0), reach(size), *((0, 0),) * (X.ndim - 2)))
        total = np.lib.stride_tricks.sliding_window_view(around, size, axis=1).sum(-1)
        return np.asarray(X * (k + alpha / size * total) ** -beta)


def reach(size: int) -> tuple[int, int]:
    """How many channels before and after one are summed."""
    return size // 2, (size - 1) // 2
