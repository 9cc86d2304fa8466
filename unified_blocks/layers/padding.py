"""Layers that put something around an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from unified_blocks.block import argument
from unified_blocks.block.arguments import declared
from unified_blocks.layers.geometry import pads_in_numbers
from unified_blocks.layers.images import ImageLayer
from unified_blocks.types import Array, State


class Padding(ImageLayer):
    """Base of the layers that pad.

    Attributes:
        mode: what is put around, as `ops.pad` has it.
    """

    rank: ClassVar[int]
    mode: ClassVar[Any]

    @declared
    def __init__(self, padding: Any, *, layout: str | None = None) -> None: ...

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        pads_in_numbers(cls.__name__, values["padding"], cls.rank)

    def of_channels_first(self, state: State, X: Array) -> Array:
        pads = pads_in_numbers("", argument(self, "padding"), self.rank)
        return np.pad(X, ((0, 0), (0, 0), *pads), mode=self.mode)


class ZeroPad1D(Padding):
    """Zeros around `(n, c, t)`: as `ZeroPad2D`.

    Example::

        ub.ZeroPad1D(((1, 2),))(ub.from_numpy([[[1.0, 2.0]]]))  # [[[0, 1, 2, 0, 0]]]
    """

    rank, mode = 1, "constant"


class ZeroPad2D(Padding):
    """Zeros around an image.

    Args:
        padding: how many: a number for all axes; one for each; or a pair `(before, after)` for
            each.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.

    Shape:
        Input `(n, c, h, w)`, output `(n, c, before + h + after, before + w + after)`; in the layout
        `"channels_last"` the channels are at the end.

    Raises:
        TypeError, ValueError: for another padding.

    Example::

        layer = ub.ZeroPad2D(((0, 1), (0, 1)))
        layer(ub.from_numpy([[[[1.0, 2.0]]]]))  # [[[[1, 2, 0], [0, 0, 0]]]]
    """

    rank, mode = 2, "constant"


class ZeroPad3D(Padding):
    """Zeros around `(n, c, d, h, w)`: as `ZeroPad2D`.

    Example::

        ub.ZeroPad3D(1)(ub.from_numpy(np.ones((2, 3, 4, 8, 8), "float32")))  # (2, 3, 6, 10, 10)
    """

    rank, mode = 3, "constant"


class ReflectPad1D(Padding):
    """A reflection around `(n, c, t)`: as `ReflectPad2D`.

    Example::

        ub.ReflectPad1D(2)(ub.from_numpy([[[0.0, 1.0, 2.0]]]))  # [[[2, 1, 0, 1, 2, 1, 0]]]
    """

    rank, mode = 1, "reflect"


class ReflectPad2D(Padding):
    """An image reflected at its edges, which are not repeated: `2 1 | 0 1 2 3 | 2 1`.

    Args:
        padding: how many, fewer than the axis has: a number for all axes; one for each; or a pair
            `(before, after)` for each.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.

    Shape:
        As of `ZeroPad2D`.

    Raises:
        TypeError, ValueError: for another padding.

    Example::

        layer = ub.ReflectPad2D(1)
        layer(ub.from_numpy([[[[1.0, 2.0], [3.0, 4.0]]]]))[0, 0, 0]  # [4, 3, 4, 3]
    """

    rank, mode = 2, "reflect"


class ReflectPad3D(Padding):
    """A reflection around `(n, c, d, h, w)`: as `ReflectPad2D`.

    Example::

        ub.ReflectPad3D(1)(ub.from_numpy(np.ones((2, 3, 4, 8, 8), "float32")))  # (2, 3, 6, 10, 10)
    """

    rank, mode = 3, "reflect"
