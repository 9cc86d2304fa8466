"""Losses of PyTorch of which each sample has a weight."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.nn import functional as F

from unified_blocks.backend import Loss
from unified_blocks.training.losses import check_alike, check_lengths, check_weighted, is_one_hot
from unified_blocks_torch.learning import IGNORED


def cross_entropy(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    y = y.to(output.dtype) if is_one_hot(output, y) else y.long()
    return F.cross_entropy(output, y, ignore_index=IGNORED, reduction="none")


LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "huber": F.huber_loss,
    "binary_cross_entropy": F.binary_cross_entropy_with_logits,
}
"""Of numbers, which give one for each with `reduction="none"`."""


def by_function(loss: Callable[..., Any], output: Any, y: Any, w: torch.Tensor) -> torch.Tensor:
    w = w.to(getattr(output, "dtype", w.dtype))
    value: torch.Tensor = loss(*((output,) if y is None else (output, y)), sample_weight=w)
    return value


def by_name(loss: str, output: torch.Tensor, y: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    if loss == "cross_entropy":
        losses = cross_entropy(output, y)
    else:
        check_alike(loss, output, y)
        losses = LOSSES[loss](output, y, reduction="none")
        losses = losses.flatten(1).mean(1) if losses.ndim > 1 else losses
    check_lengths(losses, w)
    w = w.to(losses.dtype)
    total = w.sum()
    return (losses * w).sum() / (total + (total == 0))


def weighted_loss(loss: Loss) -> Callable[..., torch.Tensor]:
    """See `Backend.weighted_loss`."""
    check_weighted(loss)
    return partial(by_function, loss) if callable(loss) else partial(by_name, loss)
