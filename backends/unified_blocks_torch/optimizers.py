"""PyTorch's optimizers, brought to the formulas of `unified_blocks.training.optimizers`."""

from __future__ import annotations

from typing import Any

import torch

from unified_blocks.backend import Optimizer
from unified_blocks.training.learning.groups import Setting
from unified_blocks.training.optimizers import KINDS, SGD, Adagrad, Adam, AdamW, RMSprop

KEPT = {
    "velocity": "momentum_buffer",
    "mean": "exp_avg",
    "variance": "exp_avg_sq",
    "mean_of_squares": "square_avg",
    "sum_of_squares": "sum",
}
"""What PyTorch calls that which an optimizer keeps of a parameter, by our name."""


class OverRoot(torch.optim.Optimizer):
    """`w = w - lr g/√(v + ε)`: PyTorch's own RMSprop and Adagrad divide by `√v + ε`.

    Args:
        kept: the name of v.
        old, new: v becomes `old v + new g²`.
    """

    def __init__(self, trained, lr, kept, old, new, eps):
        super().__init__(trained, {"lr": lr, "kept": kept, "old": old, "new": new, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            trained = [p for p in group["params"] if p.grad is not None]
            # As PyTorch's own: on a CPU one by one, each of which stays in the cache, else at once.
            one_by_one = all(p.device.type == "cpu" for p in trained)
            for some in [[p] for p in trained] if one_by_one else [trained]:
                self.update(some, group)
        return loss

    def update(self, trained, group):
        gradients = [p.grad.to_dense() if p.grad.is_sparse else p.grad for p in trained]
        squares = [self.squares(p, group["kept"]) for p in trained]
        if group["old"] != 1:
            torch._foreach_mul_(squares, group["old"])
        torch._foreach_addcmul_(squares, gradients, gradients, group["new"])
        roots = torch._foreach_add(squares, group["eps"])
        torch._foreach_sqrt_(roots)
        torch._foreach_addcdiv_(trained, gradients, roots, -group["lr"])

    def squares(self, parameter, kept):
        state = self.state[parameter]
        if kept not in state:
            state[kept] = torch.zeros_like(parameter)
        return state[kept]


def in_groups(trained: list[torch.Tensor], settings: list[Setting]) -> list[Any]:
    """Parameters as PyTorch's optimizers take them: in groups, where some are updated otherwise."""
    if not settings:
        return trained
    groups: dict[Setting, dict[str, Any]] = {}
    for tensor, setting in zip(trained, settings, strict=True):
        group = groups.setdefault(setting, {"params": [], "setting": setting})
        group["params"].append(tensor)
        if setting.decay is not None:
            group["weight_decay"] = setting.decay
    return list(groups.values())


def make_optimizer(trained: list[Any], optimizer: Optimizer) -> torch.optim.Optimizer:
    """PyTorch's own optimizer, with the hyper-parameters that every backend uses."""
    match optimizer.rounded():
        case SGD(lr, momentum, nesterov, decay):
            return torch.optim.SGD(
                trained, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=decay
            )
        case AdamW(lr, beta_1, beta_2, epsilon, decay):
            return torch.optim.AdamW(trained, lr, (beta_1, beta_2), epsilon, decay)
        case Adam(lr, beta_1, beta_2, epsilon, decay):
            return torch.optim.Adam(trained, lr, (beta_1, beta_2), epsilon, decay)
        case RMSprop(lr, rho, epsilon):
            return OverRoot(trained, lr, KEPT["mean_of_squares"], rho, 1 - rho, epsilon)
        case Adagrad(lr, epsilon):
            return OverRoot(trained, lr, KEPT["sum_of_squares"], 1, 1, epsilon)
    raise TypeError(f"optimizer must be {KINDS}; got {optimizer!r}")
