"""Models that PyTorch runs as graphs."""

from __future__ import annotations

from types import FunctionType

import torch
from torch import nn

from unified_blocks.backend import Graph

GRAPH_KINDS = ("torch.compile",)
"""The one kind of graph."""


class TorchGraph(Graph):
    """See `Graph`. A forward that PyTorch breaks is several graphs."""

    def __init__(self, net: nn.Module, dynamic: bool) -> None:
        def forward(*inputs):
            return net(*inputs)

        # PyTorch counts recompilations by code object, and gives up after a few: one for each.
        code, closure = forward.__code__.replace(), forward.__closure__
        function = FunctionType(code, globals(), "forward", closure=closure)
        # Left open, PyTorch takes a size for variable once it has seen another one.
        self.function = torch.compile(function, backend=self.make, dynamic=dynamic or None)

    def make(self, module, inputs):
        """Compile a graph that PyTorch has traced."""
        self.traces += 1
        return torch._inductor.compile(module, inputs)

    def __call__(self, *inputs):
        return self.function(*inputs)
