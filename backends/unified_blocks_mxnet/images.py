"""How layers of images take and give channels at the end: Gluon's own have them after the batch.

MXNet computes nothing else on a CPU, so the axes are turned before and after.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from unified_blocks.errors import UnsupportedError
from unified_blocks.layers.geometry import same_pads
from unified_blocks_mxnet.compat import mx


def in_layout(compute: Callable[..., Any]) -> Callable[..., Any]:
    """A `hybrid_forward` that computes with channels after the batch, in the layer's layout."""

    @functools.wraps(compute)
    def in_its_layout(self, F, X, **parameters):
        if not self.channels_last:
            return compute(self, F, X, **parameters)
        Y = compute(self, F, to_first(F, X, self.rank), **parameters)
        return to_last(F, Y, self.rank)

    return in_its_layout


def to_first(F, X, rank):
    """`(n, *space, c)` as `(n, c, *space)`."""
    return F.np.transpose(X, (0, rank + 1, *range(1, rank + 1)))


def to_last(F, X, rank):
    """`(n, c, *space)` as `(n, *space, c)`."""
    return F.np.transpose(X, (0, *range(2, rank + 2), 1))


def padded(F, X, pads, value=0.0):
    """`X` with that much around its axes of space."""
    # F.np.pad forgets the value, and gives zeros.
    return F.np._internal.pad(
        X, pad_width=((0, 0), (0, 0), *pads), mode="constant", constant_value=value
    )


def pads_of_same(layer, X, windows, strides, dilation):
    """The padding `"same"` of `layer` for `X`.

    Raises:
        UnsupportedError: for a symbol.
    """
    if isinstance(X, mx.sym.Symbol):
        raise UnsupportedError(
            f'{type(layer).__name__}: padding "same" with strides above 1 depends on the size '
            "of the input, which MXNet's symbols do not tell: write the padding as pairs "
            "(before, after), or leave this block, and any around it, unhybridized"
        )
    return same_pads(X.shape[2:], windows, strides, dilation)
