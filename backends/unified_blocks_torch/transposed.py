"""The transposed convolutions of this library as PyTorch modules."""

# The bases of PyTorch's own lazy classes do not agree on their attributes.
# mypy: disable-error-code="misc"

from __future__ import annotations

from torch import nn

import unified_blocks as ub
from unified_blocks.layers.geometry import is_even, per_axis
from unified_blocks.layers.transposed import cut_of, spread_of
from unified_blocks_torch.convolutions import Convolution
from unified_blocks_torch.images import in_layout
from unified_blocks_torch.layers import ACTIVATIONS


class Transposed(Convolution):
    """What these add to PyTorch's: uneven padding, an activation, a layout.

    `inside` is the part of the output that is left; None where PyTorch's own padding is meant.
    """

    def __init__(
        self,
        channels,
        kernel_size,
        strides=1,
        padding=0,
        output_padding=0,
        dilation=1,
        groups=1,
        *,
        in_channels=None,
        activation=None,
        use_bias=True,
        layout,
        dtype=None,
    ):
        windows = per_axis("", "", kernel_size, self.rank)
        strides, pads, more, dilation = spread_of(
            strides, padding, output_padding, dilation, self.rank
        )
        even, cut = is_even(pads), cut_of(pads, more)
        self.inside = None if even else (..., *cut.inside)
        self.activation = ACTIVATIONS[activation]
        self.channels_last = layout == "channels_last"
        padding, more = (cut.before, more) if even else ((0,) * self.rank, cut.more)
        options = (channels, windows, strides, padding, more, groups, use_bias, dilation)
        if in_channels is None:
            self.lazy.__init__(self, *options, dtype=dtype)
        else:
            self.eager.__init__(self, in_channels, *options, dtype=dtype)

    @in_layout
    def forward(self, X):
        Y = self.eager.forward(self, X)
        if self.inside is not None:
            Y = Y[self.inside]
        return Y if self.activation is None else self.activation(Y)


@ub.Conv1DTranspose.native("torch")
class Conv1DTranspose(ub.Conv1DTranspose, Transposed, nn.LazyConvTranspose1d):
    eager, lazy = nn.ConvTranspose1d, nn.LazyConvTranspose1d


@ub.Conv2DTranspose.native("torch")
class Conv2DTranspose(ub.Conv2DTranspose, Transposed, nn.LazyConvTranspose2d):
    eager, lazy = nn.ConvTranspose2d, nn.LazyConvTranspose2d


@ub.Conv3DTranspose.native("torch")
class Conv3DTranspose(ub.Conv3DTranspose, Transposed, nn.LazyConvTranspose3d):
    eager, lazy = nn.ConvTranspose3d, nn.LazyConvTranspose3d
