"""Windows that reach beyond an image."""

from __future__ import annotations

from typing import Any

from unified_blocks.layers.geometry import Pads
from unified_blocks.porting.writing.keras.expressions import Call, Tensor, call
from unified_blocks.porting.writing.keras.writer import Writing
from unified_blocks.types import Shape


def short(sizes: Any) -> Any:
    """One number where all are the same."""
    return sizes[0] if len(set(sizes)) == 1 else tuple(sizes)


def same(space: Shape, size: Shape, strides: Shape, pads: Pads, dilation: Shape) -> bool:
    """Whether `padding="same"` of Keras gives exactly these windows."""
    for n, k, s, (before, after), d in zip(space, size, strides, pads, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        if (before, after) != (total // 2, total - total // 2):
            return False
    return True


def padded(w: Writing, x: Tensor, pads: Pads, value: float = 0.0) -> Tensor:
    """An image with numbers around it, where any are asked for."""
    if not any(map(sum, pads)):
        return x
    rank = len(pads)
    space = (n + sum(pad) for n, pad in zip(x.shape[1:-1], pads, strict=True))
    shape = (x.shape[0], *space, x.shape[-1])
    if value != 0:
        return w.add(
            call("ops.pad", x, ((0, 0), *pads, (0, 0)), constant_values=value), shape, x.growth
        )
    written = short([short(pad) for pad in pads])
    if not isinstance(written, int) and rank > 1:
        pairs = any(before != after for before, after in pads)
        written = tuple(pads) if pairs else tuple(before for before, _ in pads)
    return w.add(Call(call(f"layers.ZeroPadding{rank}D", written), (x,)), shape, x.growth)
