"""Losses of PyTorch, and the mode of its models."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from unified_blocks.training.losses import check_alike, check_loss, is_one_hot

IGNORED = -(2**62)
"""PyTorch leaves out one label without a word, -100 unless told; here none is left out."""


def cross_entropy(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    y = y.to(output.dtype) if is_one_hot(output, y) else y.long()
    return F.cross_entropy(output, y, ignore_index=IGNORED)


def mse(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    check_alike("mse", output, y)
    return F.mse_loss(output, y)


def l1(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    check_alike("l1", output, y)
    return F.l1_loss(output, y)


def huber(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    check_alike("huber", output, y)
    return F.huber_loss(output, y)


def binary_cross_entropy(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    check_alike("binary_cross_entropy", output, y)
    return F.binary_cross_entropy_with_logits(output, y)


LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "sum": lambda output: output.sum(),
    "mean": lambda output: output.mean(),
    "mse": mse,
    "cross_entropy": cross_entropy,
    "l1": l1,
    "huber": huber,
    "binary_cross_entropy": binary_cross_entropy,
}


def loss_function(loss: str | Callable[..., Any]) -> Callable[..., torch.Tensor]:
    return loss if callable(loss) else LOSSES[check_loss(loss)]


@contextmanager
def mode(net: nn.Module, train: bool):
    """Training or evaluation mode inside the `with`; each module gets its own mode back."""
    before = [module for module in net.modules() if module.training != train]
    for module in before:
        module.training = train
    try:
        yield
    finally:
        for module in before:
            module.training = not train
