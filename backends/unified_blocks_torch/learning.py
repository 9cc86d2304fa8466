"""Losses and training steps of PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from unified_blocks.training.losses import apply_loss, check_alike, check_loss
from unified_blocks.training.optimizers import SGD, Adam, Optimizer

IGNORED = -(2**62)
"""PyTorch leaves out one label without a word, -100 unless told; here none is left out."""


def cross_entropy(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(output, y.long(), ignore_index=IGNORED)


def mse(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    check_alike(output, y)
    return F.mse_loss(output, y)


LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "sum": lambda output: output.sum(),
    "mean": lambda output: output.mean(),
    "mse": mse,
    "cross_entropy": cross_entropy,
}


def loss_function(loss: str | Callable[..., Any]) -> Callable[..., torch.Tensor]:
    return loss if callable(loss) else LOSSES[check_loss(loss)]


def make_optimizer(net: nn.Module, optimizer: Optimizer) -> torch.optim.Optimizer:
    """PyTorch's own optimizer, with the hyper-parameters that every backend uses."""
    trainable = [p for p in net.parameters() if p.requires_grad]
    match optimizer.rounded():
        case SGD(learning_rate, momentum):
            return torch.optim.SGD(trainable, lr=learning_rate, momentum=momentum)
        case Adam(learning_rate, beta_1, beta_2, epsilon):
            return torch.optim.Adam(
                trainable, lr=learning_rate, betas=(beta_1, beta_2), eps=epsilon
            )
    raise TypeError(f"optimizer must be ub.SGD or ub.Adam; got {optimizer!r}")


def training_step(net, optimizer, loss, mode):
    """See `Backend.training_step`."""
    function, native, t = loss_function(loss), make_optimizer(net, optimizer), 0

    def step(x, y):
        nonlocal t
        t += 1
        if isinstance(native, torch.optim.Adam):
            # PyTorch adds epsilon to sqrt(v / (1 - beta_2^t)), the others to sqrt(v): with this
            # epsilon the two forms are one.
            for group in native.param_groups:
                beta_2 = group["betas"][1]
                group["eps"] = optimizer.rounded().epsilon / math.sqrt(1 - beta_2**t)
        with mode(net, True), torch.enable_grad():
            native.zero_grad()
            value = apply_loss(function, net(x), y)
            value.backward()
            native.step()
        return value.detach()

    return step
