"""How layers of images take and give channels at the end: PyTorch's own have them after the batch.

Turning a tensor costs no copy: the memory of `(n, h, w, c)` is PyTorch's own `channels_last`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from torch import permute  # the tensor's method takes half as long again

AXES = {rank: ((0, rank - 1, *range(1, rank - 1)), (0, *range(2, rank), 1)) for rank in range(2, 6)}
"""For each number of axes: those of `(n, *space, c)` in the order of `(n, c, *space)`, and back."""


def in_layout(forward: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """`forward`, which computes with channels after the batch, in the layout of the layer."""

    @functools.wraps(forward)
    def in_its_layout(self, X):
        if not self.channels_last:
            return forward(self, X)
        first, last = AXES[X.dim()]
        return permute(forward(self, permute(X, first)), last)

    return in_its_layout
