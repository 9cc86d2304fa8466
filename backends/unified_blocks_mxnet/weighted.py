"""Losses of MXNet of which each sample has a weight."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from unified_blocks import ops
from unified_blocks.backend import Loss
from unified_blocks.training.losses import check_alike, check_lengths, check_weighted
from unified_blocks_mxnet.compat import mx
from unified_blocks_mxnet.learning import CrossEntropy, either_way, of_classes


class Apart(CrossEntropy):
    """The cross-entropy of each sample."""

    def hybrid_forward(self, F, output, y):
        return self.of_each(F, output, y)


def huber(output, y):
    distance = mx.np.abs(output - y)
    near = mx.np.minimum(distance, 1)
    return near * near / 2 + distance - near


LOSSES: dict[str, Callable[..., Any]] = {
    "mse": lambda output, y: mx.np.square(output - y),
    "l1": lambda output, y: mx.np.abs(output - y),
    "huber": huber,
    "binary_cross_entropy": lambda output, y: ops.softplus(output) - output * y,
}
"""Of numbers, one for each."""


def by_function(loss: Callable[..., Any], output: Any, y: Any, w: Any) -> Any:
    def given(*tensors: Any) -> Any:
        return loss(*tensors[:-1], sample_weight=tensors[-1])

    w = w.astype(getattr(output, "dtype", w.dtype))
    return either_way(given)(*((output, w) if y is None else (output, y, w)))


def by_name(loss: str, cross_entropy: Callable[..., Apart], output: Any, y: Any, w: Any) -> Any:
    if loss == "cross_entropy":
        losses = of_classes(cross_entropy, output, y)
    else:
        check_alike(loss, output, y)
        losses = LOSSES[loss](output, y)
        losses = losses.mean(axis=tuple(range(1, losses.ndim))) if losses.ndim > 1 else losses
    check_lengths(losses, w)
    w = w.astype(losses.dtype)
    total = w.sum()
    return (losses * w).sum() / (total + (total == 0))


def weighted_loss(loss: Loss) -> Callable[..., Any]:
    """See `Backend.weighted_loss`."""
    check_weighted(loss)

    @cache
    def cross_entropy(classes: int, one_hot: bool) -> Apart:
        block = Apart(classes, one_hot)
        block.hybridize(static_alloc=True, static_shape=True)
        return block

    if callable(loss):
        return partial(by_function, loss)
    return partial(by_name, loss, cross_entropy)
