"""Models that PyTorch runs as graphs."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import torch
from torch import nn

from unified_blocks.backend import Graph

KINDS: dict[str, dict[str, Any]] = {
    "torch.compile": {},
    'torch.compile(mode="reduce-overhead")': {"triton.cudagraphs": True},
}
"""The options of Inductor for each kind of graph; the second is for GPUs."""


class TorchGraph(Graph):
    """See `Graph`. A forward that PyTorch breaks is several graphs."""

    def __init__(self, net: nn.Module, kind: str, dynamic: bool) -> None:
        def forward(*inputs):
            return net(*inputs)

        # PyTorch counts recompilations by code object, and gives up after a few: one for each.
        code, closure = forward.__code__.replace(), forward.__closure__
        function = FunctionType(code, globals(), "forward", closure=closure)
        self.options = KINDS[kind]
        self.function = torch.compile(
            function, backend=self.make, dynamic=True if dynamic else None
        )

    def make(self, module, inputs):
        """Compile a graph that PyTorch has traced."""
        self.traces += 1
        return torch._inductor.compile(module, inputs, options=self.options)

    def __call__(self, *inputs):
        return self.function(*inputs)
