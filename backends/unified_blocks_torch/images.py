"""How layers of images take and give channels at the end: PyTorch's own have them after the batch.

Turning a tensor costs no copy: the memory of `(n, h, w, c)` is PyTorch's own `channels_last`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

TO_FIRST = {rank: (0, rank - 1, *range(1, rank - 1)) for rank in range(2, 6)}
"""The axes of `(n, *space, c)` in the order of `(n, c, *space)`, by their number."""
TO_LAST = {rank: (0, *range(2, rank), 1) for rank in range(2, 6)}
"""The axes of `(n, c, *space)` in the order of `(n, *space, c)`, by their number."""


def in_layout(forward: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """`forward`, which computes with channels after the batch, in the layout of the layer."""

    @functools.wraps(forward)
    def in_its_layout(self, X):
        if not self.channels_last:
            return forward(self, X)
        Y = forward(self, X.permute(TO_FIRST[X.dim()]))
        return Y.permute(TO_LAST[Y.dim()])

    return in_its_layout
