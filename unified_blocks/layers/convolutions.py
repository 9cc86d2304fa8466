"""Convolutions over one, two and three axes of space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from unified_blocks.block import argument
from unified_blocks.block.arguments import declared
from unified_blocks.layers.geometry import Pads, pads_of, per_axis, same_pads
from unified_blocks.layers.images import ImageLayer, expected_image, over_space
from unified_blocks.reference.numpy_ops import ACTIVATE
from unified_blocks.types import Array, Shape, State


class Convolution(ImageLayer):
    """Base of the convolutions."""

    rank: ClassVar[int]
    input_parameter = "weight"

    @declared
    def __init__(
        self,
        channels: int,
        kernel_size: int | tuple[int, ...],
        strides: int | tuple[int, ...] = 1,
        padding: Any = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        *,
        in_channels: int | None = None,
        activation: str | None = None,
        use_bias: bool = True,
        layout: str | None = None,
        dtype: Any = None,
    ) -> None: ...

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        name = cls.__name__
        for parameter in ("kernel_size", "strides", "dilation"):
            per_axis(name, parameter, values[parameter], cls.rank)
        pads_of(name, values["padding"], cls.rank)
        check_groups(name, values)

    def expected_shape(self, shape: Shape, weight: Shape) -> str | None:
        return expected_image(self, shape, weight[1] * argument(self, "groups"), self.rank)

    def of_channels_first(self, state: State, X: Array) -> Array:
        windows, strides, dilation = (
            per_axis("", each, argument(self, each), self.rank)
            for each in ("kernel_size", "strides", "dilation")
        )
        pads = pads_of("", argument(self, "padding"), self.rank)
        if pads is None:
            pads = same_pads(X.shape[2:], windows, strides, dilation)
        Y = convolved(X, state["weight"], strides, pads, dilation, argument(self, "groups"))
        if argument(self, "use_bias"):
            Y = Y + over_space(state["bias"], self.rank)
        return ACTIVATE[argument(self, "activation")](Y)


def check_groups(block: str, values: Mapping[str, Any]) -> None:
    """Raise `ValueError` for channels that the groups cannot share."""
    groups = values["groups"]
    for parameter in ("channels", "in_channels"):
        size = values[parameter]
        if size is not None and size % groups:
            raise ValueError(
                f"{block}: {parameter} must be a multiple of groups; got "
                f"{parameter}={size} and groups={groups}"
            )


def convolved(
    X: Array,
    W: Array,
    strides: tuple[int, ...],
    pads: Pads,
    dilation: tuple[int, ...],
    groups: int,
) -> Array:
    """`Y[n, o, i] = Σ W[o, c, p] · X[n, c, i s + p d - before]`, over each axis of space."""
    rank = X.ndim - 2
    patches = windows_of(X, W.shape[2:], strides, pads, dilation)  # (n, c, *out, *kernel)
    n, c, *rest = patches.shape
    apart = patches.reshape(n, groups, c // groups, *rest)
    kernels = W.reshape(groups, -1, *W.shape[1:])  # (g, out / g, c / g, *kernel)
    space = tuple(range(3 + rank, 3 + 2 * rank))
    Y = np.stack(
        [
            np.tensordot(
                apart[:, g], kernels[g], ((1, *(i - 1 for i in space)), range(1, 2 + rank))
            )
            for g in range(groups)
        ],
        1,
    )  # (n, g, *out, out / g)
    return np.moveaxis(Y, -1, 2).reshape(n, len(W), *rest[:rank])


def windows_of(
    X: Array,
    windows: tuple[int, ...],
    strides: tuple[int, ...],
    pads: Pads,
    dilation: tuple[int, ...],
    fill: float = 0,
) -> Array:
    """What each window of an image sees: `(n, c, *out, *window)`."""
    rank = X.ndim - 2
    padded = np.pad(X, ((0, 0), (0, 0), *pads), constant_values=fill)
    reach = tuple((k - 1) * d + 1 for k, d in zip(windows, dilation, strict=True))
    if any(n < k for n, k in zip(padded.shape[2:], reach, strict=True)):
        raise ValueError(f"a window of {reach} does not fit into {padded.shape[2:]}")
    view: Any = np.lib.stride_tricks.sliding_window_view  # NumPy's types know one axis only
    seen: Array = view(padded, reach, tuple(range(2, 2 + rank)))
    steps = (*(slice(None, None, s) for s in strides), *(slice(None, None, d) for d in dilation))
    return np.asarray(seen[(slice(None), slice(None), *steps)])


class Conv1D(Convolution):
    """A convolution over one axis: as `Conv2D`, on `(n, c, t)`.

    Shape:
        Input `(n, c, t)`, output `(n, channels, t')`; in the layout `"channels_last"` `(n, t, c)`.

    Parameters (canonical names; the framework's default initial values):
        `weight`: `(channels, c / groups, k)`; `bias`: `(channels,)`.

    Example::

        layer = ub.Conv1D(8, 3, padding=((2, 0),))  # causal: it sees the past only
        layer(ub.from_numpy(np.ones((2, 4, 10), "float32")))  # (2, 8, 10)
    """

    rank = 1


class Conv2D(Convolution):
    """A convolution over two axes: each output sees a window of the input, with shared weights.

    `Y[n, o, i, j] = b[o] + Σ W[o, c, p, q] · X[n, c, i·s + p·d - before, j·s + q·d - before]`,
    with zeros outside: a cross-correlation, as all frameworks have it. The sum is over the `c` of
    the group of `o`.

    Args:
        channels: of the output; a multiple of `groups`.
        kernel_size: of the window: a number for all axes, or one for each.
        strides: s, the steps of the window.
        padding: zeros around the image: a number for all axes; one for each; a pair
            `(before, after)` for each; or `"same"`, TensorFlow's: ⌈n / s⌉ outputs, the extra zero
            at the end (on MXNet a hybridized one must have steps of 1).
        dilation: d, the distance between what a window sees.
        groups: so many convolutions side by side, each of its own share of the channels.
        in_channels: of the input; if omitted, inferred from the first one.
        activation: None, or a name that `Activation` takes.
        use_bias: whether to add `b`.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(n, c, h, w)`, output `(n, channels, h', w')`, with
        `h' = ⌊(h + before + after - d (k - 1) - 1) / s⌋ + 1`. In the layout `"channels_last"`
        `(n, h, w, c)` and `(n, h', w', channels)`.

    Parameters (canonical names; the framework's default initial values):
        `weight`: `(channels, c / groups, kh, kw)` in every layout; `bias`: `(channels,)`.

    Raises:
        TypeError, ValueError: for arguments that are not as told here.

    Source:
        LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998.

    Example::

        layer = ub.Conv2D(16, (3, 5), strides=2, padding=((1, 1), (2, 2)), activation="relu")
        layer(ub.from_numpy(np.ones((2, 3, 32, 32), "float32")))  # (2, 16, 16, 16)
    """

    rank = 2


class Conv3D(Convolution):
    """A convolution over three axes: as `Conv2D`, on `(n, c, d, h, w)`.

    Shape:
        Input `(n, c, d, h, w)`, output `(n, channels, d', h', w')`; in the layout
        `"channels_last"` `(n, d, h, w, c)`.

    Parameters (canonical names; the framework's default initial values):
        `weight`: `(channels, c / groups, kd, kh, kw)`; `bias`: `(channels,)`.

    Example::

        layer = ub.Conv3D(8, 3, padding=1)
        layer(ub.from_numpy(np.ones((2, 3, 4, 8, 8), "float32")))  # (2, 8, 4, 8, 8)
    """

    rank = 3
