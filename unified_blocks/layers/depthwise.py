"""Convolutions of each channel apart, alone and before one of size 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unified_blocks.block import Block, argument
from unified_blocks.block.arguments import declared
from unified_blocks.layers.convolutions import Conv2D, convolved
from unified_blocks.layers.geometry import pads_of, per_axis, same_pads
from unified_blocks.layers.images import ImageLayer, expected_image, over_space
from unified_blocks.reference.numpy_ops import ACTIVATE
from unified_blocks.types import Array, Shape, State


class DepthwiseConv2D(ImageLayer):
    """A convolution of each channel apart: a `Conv2D` of as many groups as there are channels.

    `Y[n, c·m + o, i, j] = b[c·m + o] + Σ W[c·m + o, 0, p, q] · X[n, c, i·s + p·d - before, …]`.

    Args:
        kernel_size, strides, padding, dilation: as of `Conv2D`.
        multiplier: m, how many channels are made of each.
        in_channels: of the input; if omitted, inferred from the first one.
        activation: None, or a name that `Activation` takes.
        use_bias: whether to add `b`.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(n, c, h, w)`, output `(n, m c, h', w')`, with the sizes of `Conv2D`; in the layout
        `"channels_last"` the channels are at the end.

    Parameters (canonical names; the framework's default initial values):
        `weight`: `(m c, 1, kh, kw)` in every layout; `bias`: `(m c,)`.

    Raises:
        TypeError, ValueError: for arguments that are not as told here.

    Source:
        Howard et al., "MobileNets", 2017; the order of the channels is PyTorch's and Keras'.

    Example::

        layer = ub.DepthwiseConv2D(3, padding=1, multiplier=2, activation="relu")
        layer(ub.from_numpy(np.ones((2, 3, 8, 8), "float32")))  # (2, 6, 8, 8)
    """

    rank = 2
    input_parameter = "weight"

    @declared
    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = 1,
        padding: Any = 0,
        dilation: int | tuple[int, int] = 1,
        multiplier: int = 1,
        *,
        in_channels: int | None = None,
        activation: str | None = None,
        use_bias: bool = True,
        layout: str | None = None,
        dtype: Any = None,
    ) -> None: ...

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        for parameter in ("kernel_size", "strides", "dilation"):
            per_axis(cls.__name__, parameter, values[parameter], 2)
        pads_of(cls.__name__, values["padding"], 2)

    def expected_shape(self, shape: Shape, weight: Shape) -> str | None:
        return expected_image(self, shape, weight[0] // argument(self, "multiplier"), self.rank)

    def of_channels_first(self, state: State, X: Array) -> Array:
        windows, strides, dilation = (
            per_axis("", each, argument(self, each), 2)
            for each in ("kernel_size", "strides", "dilation")
        )
        pads = pads_of("", argument(self, "padding"), 2)
        if pads is None:
            pads = same_pads(X.shape[2:], windows, strides, dilation)
        Y = convolved(X, state["weight"], strides, pads, dilation, X.shape[1])
        if argument(self, "use_bias"):
            Y = Y + over_space(state["bias"], 2)
        return ACTIVATE[argument(self, "activation")](Y)


class SeparableConv2D(Block):
    """A `DepthwiseConv2D` without bias, and a `Conv2D` of size 1 that mixes its channels.

    Args:
        channels: of the output.
        kernel_size, strides, padding, dilation, multiplier: of the first.
        in_channels: of the input; if omitted, inferred from the first one.
        activation, use_bias: of the second.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        As of `Conv2D`.

    Parameters (canonical names; the framework's default initial values):
        `depthwise.weight`: `(m c, 1, kh, kw)`; `pointwise.weight`: `(channels, m c, 1, 1)`;
        `pointwise.bias`: `(channels,)`. Keras' `SeparableConv2D` has the same.

    Raises:
        TypeError, ValueError: for arguments that are not as told here.

    Source:
        Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2017.

    Example::

        layer = ub.SeparableConv2D(32, 3, padding=1)
        layer(ub.from_numpy(np.ones((2, 3, 8, 8), "float32")))  # (2, 32, 8, 8)
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = 1,
        padding: Any = 0,
        dilation: int | tuple[int, int] = 1,
        multiplier: int = 1,
        *,
        in_channels: int | None = None,
        activation: str | None = None,
        use_bias: bool = True,
        layout: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.depthwise = DepthwiseConv2D(
            kernel_size,
            strides,
            padding,
            dilation,
            multiplier,
            in_channels=in_channels,
            use_bias=False,
            layout=layout,
            dtype=dtype,
        )
        self.pointwise = Conv2D(
            channels,
            1,
            in_channels=None if in_channels is None else in_channels * multiplier,
            activation=activation,
            use_bias=use_bias,
            layout=layout,
            dtype=dtype,
        )

    def forward(self, X: Any) -> Any:
        return self.pointwise(self.depthwise(X))

    def reference(self, state: State, X: Array) -> Array:
        of = {
            name: {
                key.removeprefix(f"{name}."): array
                for key, array in state.items()
                if key.startswith(f"{name}.")
            }
            for name in ("depthwise", "pointwise")
        }
        H = self.depthwise.reference(of["depthwise"], X)
        return self.pointwise.reference(of["pointwise"], H)
