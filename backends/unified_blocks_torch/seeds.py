"""Seeds of what models of PyTorch draw when they are called."""

from __future__ import annotations

from typing import Any

import torch

before: list[Any] = []
"""The states of PyTorch's generators before the first seed: of the CPU, and of each GPU."""


def seed(net: Any, number: int | None) -> None:
    """See `Backend.seed`. PyTorch has one generator for each device, which all models draw from."""
    gpus = torch.cuda.is_available() and torch.cuda.is_initialized()
    if number is not None:
        if not before:
            before.append(torch.get_rng_state())
            before.extend(torch.cuda.get_rng_state_all() if gpus else ())
        torch.manual_seed(number)
    elif before:
        cpu, *others = before
        torch.set_rng_state(cpu)
        for device, state in enumerate(others):
            torch.cuda.set_rng_state(state, device)
        before.clear()
