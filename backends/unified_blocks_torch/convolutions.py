"""The convolutions of this library as PyTorch modules."""

# The bases of PyTorch's own lazy classes do not agree on their attributes.
# mypy: disable-error-code="misc"

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

import unified_blocks as ub
from unified_blocks.layers.geometry import fixed_pads, pads_of, per_axis, same_pads
from unified_blocks.types import Mixin
from unified_blocks_torch.images import in_layout
from unified_blocks_torch.layers import OF_ITS_OWN, weight_and_bias

IN_MEMORY = {2: torch.channels_last, 3: torch.channels_last_3d}
"""PyTorch's memory of images with channels at the end, by their number of axes of space."""


def flat(pads):
    """Pads as `F.pad` takes them: of the last axis first."""
    return tuple(size for pair in reversed(pads) for size in pair)


class Convolution(Mixin):
    """What the convolutions add to PyTorch's: other padding, an activation, a layout.

    `pads` is what `F.pad` is given before; None where PyTorch's own padding is meant.
    """

    cls_to_become = None  # stay what it is after the first call

    def __init__(
        self,
        channels,
        kernel_size,
        strides=1,
        padding=0,
        dilation=1,
        groups=1,
        *,
        in_channels=None,
        activation=None,
        use_bias=True,
        layout,
        dtype=None,
    ):
        windows, strides, dilation = (
            per_axis("", "", size, self.rank) for size in (kernel_size, strides, dilation)
        )
        pads = pads_of("", padding, self.rank)
        self.grows = pads is None and any(step > 1 for step in strides)  # with its input
        pads = fixed_pads(pads, windows, dilation)
        even = not self.grows and all(before == after for before, after in pads)
        self.pads = None if even else flat(pads)
        self.activation = OF_ITS_OWN[activation]
        self.channels_last = layout == "channels_last"
        padding = tuple(before for before, _ in pads) if even else (0,) * self.rank
        options = (channels, windows, strides, padding, dilation, groups, use_bias)
        if in_channels is None:
            self.lazy.__init__(self, *options, dtype=dtype)
        else:
            self.eager.__init__(self, in_channels, *options, dtype=dtype)
            self.lay_out()

    def initialize_parameters(self, X):
        super().initialize_parameters(X.movedim(-1, 1) if self.channels_last else X)
        self.lay_out()

    def lay_out(self):
        """Let the weight lie in memory as the images do, which PyTorch's kernels are fastest at."""
        if self.channels_last and self.rank in IN_MEMORY:
            self.weight.data = self.weight.data.to(memory_format=IN_MEMORY[self.rank])

    @in_layout
    def forward(self, X):
        if self.pads is not None:
            X = F.pad(X, self.pads_for(X))
        weight, bias = weight_and_bias(self)
        Y = self.convolve(X, weight, bias, self.stride, self.padding, self.dilation, self.groups)
        return Y if self.activation is None else self.activation(Y)

    def pads_for(self, X):
        if not self.grows:
            return self.pads
        return flat(same_pads(X.shape[2:], self.kernel_size, self.stride, self.dilation))


@ub.Conv1D.native("torch")
class Conv1D(ub.Conv1D, Convolution, nn.LazyConv1d):
    eager, lazy, convolve = nn.Conv1d, nn.LazyConv1d, staticmethod(torch.conv1d)


@ub.Conv2D.native("torch")
class Conv2D(ub.Conv2D, Convolution, nn.LazyConv2d):
    eager, lazy, convolve = nn.Conv2d, nn.LazyConv2d, staticmethod(torch.conv2d)


@ub.Conv3D.native("torch")
class Conv3D(ub.Conv3D, Convolution, nn.LazyConv3d):
    eager, lazy, convolve = nn.Conv3d, nn.LazyConv3d, staticmethod(torch.conv3d)
