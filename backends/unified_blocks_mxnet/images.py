"""How layers of images take and give channels at the end: Gluon's own have them after the batch.

MXNet computes nothing else on a CPU, so the axes are turned before and after.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


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
