"""Running averages of PyTorch's parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from unified_blocks.backend import Slot
from unified_blocks.training.learning.averaging import wide
from unified_blocks_torch.variables import TorchVariable, shared_out, whole


class Averages:
    """`e = d e + (1 - d) w` after each update, e being w at first. Of half precision in float32.

    Args:
        variables: whose parameters they are of.
        decay: d.
    """

    def __init__(self, variables: list[TorchVariable], decay: float) -> None:
        self.variables, self.decay = variables, decay
        pairs = zip(variables, self.tensors(), strict=True)
        self.held = [t.to(getattr(torch, wide(v.dtype)), copy=True) for v, t in pairs]

    def tensors(self) -> list[torch.Tensor]:
        """The parameters' numbers. Those of `net.float()` lie in other memory than before it."""
        return [v.tensor.detach() for v in self.variables]

    @torch.no_grad()
    def update(self) -> None:
        now = [t.to(e.dtype) for t, e in zip(self.tensors(), self.held, strict=True)]
        torch._foreach_mul_(self.held, self.decay)
        torch._foreach_add_(self.held, now, alpha=1 - self.decay)

    def slots(self) -> list[Slot]:
        def slot(v, e):
            def read():
                return whole(e).cpu().numpy().copy()

            def write(array):
                e.copy_(shared_out(torch.from_numpy(array), e))

            return Slot(v.name, v.shape, wide(v.dtype), read, write)

        return [slot(v, e) for v, e in zip(self.variables, self.held, strict=True)]

    def take(self) -> None:
        """Let the model have them for parameters from now on."""
        self.give(self.held)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside the `with` the model has them for parameters."""
        before = [t.clone() for t in self.tensors()]
        self.give(self.held)
        try:
            yield
        finally:
            self.give(before)

    @torch.no_grad()
    def give(self, numbers: list[torch.Tensor]) -> None:
        for tensor, number in zip(self.tensors(), numbers, strict=True):
            tensor.copy_(number)
