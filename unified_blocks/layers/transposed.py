"""Transposed convolutions over one, two and three axes of space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from unified_blocks.block import argument
from unified_blocks.block.arguments import declared
from unified_blocks.layers.convolutions import check_groups
from unified_blocks.layers.geometry import Pads, pads_in_numbers, per_axis
from unified_blocks.layers.images import ImageLayer, expected_image, over_space
from unified_blocks.reference.numpy_ops import ACTIVATE
from unified_blocks.types import Array, Shape, State


class TransposedConvolution(ImageLayer):
    """Base of the transposed convolutions."""

    rank: ClassVar[int]
    input_parameter = "weight"

    @declared
    def __init__(
        self,
        channels: int,
        kernel_size: int | tuple[int, ...],
        strides: int | tuple[int, ...] = 1,
        padding: Any = 0,
        output_padding: int | tuple[int, ...] = 0,
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
        _, strides, dilation = (
            per_axis(name, parameter, values[parameter], cls.rank)
            for parameter in ("kernel_size", "strides", "dilation")
        )
        pads_in_numbers(name, values["padding"], cls.rank)
        more = per_axis(name, "output_padding", values["output_padding"], cls.rank, least=0)
        if any(m >= max(s, d) for m, s, d in zip(more, strides, dilation, strict=True)):
            raise ValueError(
                f"{name}: output_padding must be below strides, or below dilation; got "
                f"output_padding={values['output_padding']!r}, strides={values['strides']!r} and "
                f"dilation={values['dilation']!r}"
            )
        check_groups(name, values)

    def expected_shape(self, shape: Shape, weight: Shape) -> str | None:
        return expected_image(self, shape, weight[0], self.rank)

    def of_channels_first(self, state: State, X: Array) -> Array:
        spread = spread_of(
            argument(self, "strides"),
            argument(self, "padding"),
            argument(self, "output_padding"),
            argument(self, "dilation"),
            self.rank,
        )
        Y = spread_out(X, state["weight"], *spread, argument(self, "groups"))
        if argument(self, "use_bias"):
            Y = Y + over_space(state["bias"], self.rank)
        return ACTIVATE[argument(self, "activation")](Y)


def spread_out(
    X: Array,
    W: Array,
    strides: tuple[int, ...],
    pads: Pads,
    more: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int,
) -> Array:
    """`X`, each number of which is spread over a window: `W` is `(c, channels / groups, *kernel)`.

    Args:
        X: `(n, c, *space)`.
        W: the weight.
        strides, dilation: of the windows.
        pads: what is left out at both ends of each axis.
        more: how much longer each axis is at its end.
        groups: into how many the channels are divided.
    """
    n, c, *space = X.shape
    kernel = W.shape[2:]
    steps = [range(0, (m - 1) * s + 1, s) for m, s in zip(space, strides, strict=True)]
    sizes = [
        line[-1] + (k - 1) * d + 1 + extra
        for line, k, d, extra in zip(steps, kernel, dilation, more, strict=True)
    ]
    apart = X.reshape(n, groups, c // groups, *space)
    kernels: Any = W.reshape(groups, c // groups, -1, *kernel)
    full: Any = np.zeros((n, groups, kernels.shape[2], *sizes), np.result_type(X, W))
    for at in np.ndindex(*kernel):
        share = np.einsum("ngc...,gco->ngo...", apart, kernels[(..., *at)])
        place = (
            slice(p * d, p * d + line[-1] + 1, s)
            for p, d, line, s in zip(at, dilation, steps, strides, strict=True)
        )
        full[(..., *place)] += share
    inside = (slice(before, m - after) for m, (before, after) in zip(sizes, pads, strict=True))
    cut = full[(..., *inside)]
    Y: Array = cut.reshape(n, -1, *cut.shape[3:])
    return Y


class Spread(NamedTuple):
    """How a transposed convolution spreads an image: one entry for each axis of space."""

    strides: tuple[int, ...]
    pads: Pads
    more: tuple[int, ...]
    dilation: tuple[int, ...]


def spread_of(strides: Any, padding: Any, output_padding: Any, dilation: Any, rank: int) -> Spread:
    """The same, of its arguments."""
    return Spread(
        per_axis("", "", strides, rank),
        pads_in_numbers("", padding, rank),
        per_axis("", "", output_padding, rank, least=0),
        per_axis("", "", dilation, rank),
    )


class Cut(NamedTuple):
    """What is left out of a transposed convolution without padding, and added to it at the end.

    Frameworks that have one padding for both ends, or none, compute more and leave out some.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    more: tuple[int, ...]

    @property
    def inside(self) -> tuple[slice, ...]:
        """The part that is left, on each axis of space."""
        return tuple(
            slice(before, -after or None)
            for before, after in zip(self.before, self.after, strict=True)
        )


def cut_of(pads: Pads, more: tuple[int, ...]) -> Cut:
    """How `pads` and `output_padding` come to it."""
    ends = [(after, extra) for (_, after), extra in zip(pads, more, strict=True)]
    return Cut(
        tuple(before for before, _ in pads),
        tuple(max(after - extra, 0) for after, extra in ends),
        tuple(max(extra - after, 0) for after, extra in ends),
    )


class Conv1DTranspose(TransposedConvolution):
    """A transposed convolution over one axis: as `Conv2DTranspose`, on `(n, c, t)`.

    Shape:
        Input `(n, c, t)`, output `(n, channels, t')`; in the layout `"channels_last"` `(n, t, c)`.

    Parameters (canonical names; the framework's default initial values):
        `weight`: `(c, channels / groups, k)`; `bias`: `(channels,)`.

    Example::

        layer = ub.Conv1DTranspose(8, 4, strides=2, padding=1)
        layer(ub.from_numpy(np.ones((2, 3, 10), "float32")))  # (2, 8, 20)
    """

    rank = 1


class Conv2DTranspose(TransposedConvolution):
    """A transposed convolution: each element of the input adds a window to the output.

    `Y[n, o, i·s + p·d - before, j·s + q·d - before] += W[c, o, p, q] · X[n, c, i, j]`, and `b[o]`
    everywhere: what `Conv2D` does to gradients. The sum is over the `c` of the group of `o`.

    Args:
        channels: of the output; a multiple of `groups`.
        kernel_size: of the window: a number for all axes, or one for each.
        strides: s, the steps of the window in the output.
        padding: what is left out around the output: a number for all axes; one for each; or a pair
            `(before, after)` for each.
        output_padding: how much larger the output is at its end; below `strides` or `dilation`.
        dilation: d, the distance between what a window adds to.
        groups: so many convolutions side by side, each of its own share of the channels.
        in_channels: of the input; if omitted, inferred from the first one.
        activation: None, or a name that `Activation` takes.
        use_bias: whether to add `b`.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(n, c, h, w)`, output `(n, channels, h', w')`, with
        `h' = (h - 1) s - before - after + d (k - 1) + 1 + output_padding`, as PyTorch and Gluon
        (without padding Keras gives more where the strides are above the kernel). In the layout
        `"channels_last"` `(n, h, w, c)` and `(n, h', w', channels)`.

    Parameters (canonical names; the framework's default initial values):
        `weight`: `(c, channels / groups, kh, kw)` in every layout; `bias`: `(channels,)`.

    Raises:
        TypeError, ValueError: for arguments that are not as told here.

    Source:
        Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Example::

        layer = ub.Conv2DTranspose(16, 4, strides=2, padding=1)  # twice as large
        layer(ub.from_numpy(np.ones((2, 3, 8, 8), "float32")))  # (2, 16, 16, 16)
    """

    rank = 2


class Conv3DTranspose(TransposedConvolution):
    """A transposed convolution over three axes: as `Conv2DTranspose`, on `(n, c, d, h, w)`.

    Shape:
        Input `(n, c, d, h, w)`, output `(n, channels, d', h', w')`; in the layout
        `"channels_last"` `(n, d, h, w, c)`.

    Parameters (canonical names; the framework's default initial values):
        `weight`: `(c, channels / groups, kd, kh, kw)`; `bias`: `(channels,)`.

    Example::

        layer = ub.Conv3DTranspose(8, 2, strides=2)
        layer(ub.from_numpy(np.ones((2, 3, 4, 8, 8), "float32")))  # (2, 8, 8, 16, 16)
    """

    rank = 3
