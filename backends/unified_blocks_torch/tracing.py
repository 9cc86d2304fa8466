"""What `torch.fx` puts in the place of tensors while it traces a forward."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import Proxy, Tracer

from unified_blocks.ops import register
from unified_blocks_torch import neural_ops, ops

RECORDED = ("full", "arange", "eye", "one_hot", "one_hot_like", "prod")
"""The operations that ask a tensor for its dtype, device or dimensions: each is one call."""


class SymbolicOps:
    """The operations as `torch.fx` records them: PyTorch's own, where it can."""

    def __getattr__(self, name: str) -> Any:
        if name in RECORDED:
            return lambda *args: getattr(ops, name)(*args)  # which is another while it traces
        return getattr(ops, name, None) or getattr(neural_ops, name)

    def split(self, x, sections, axis):
        parts = torch.chunk(x, sections, axis)
        return [parts[i] for i in range(sections)]

    def check_finite(self, x, message):
        return x  # a graph cannot raise


register("torch", "PyTorch", SymbolicOps(), (Proxy,), symbolic=True)


def is_leaf(net: Any, X: Any) -> bool:
    """Whether a call of `net` is recorded as one, as that of each of PyTorch's own layers is.

    So the graph has its mode, training or not, and what it computes then.
    """
    if not (isinstance(X, Proxy) and isinstance(X.tracer, Tracer)):
        return False
    package = __name__.partition(".")[0]
    is_layer = type(net)._native.block.__module__.startswith("unified_blocks.layers.")
    return is_layer and type(net).__module__.startswith(f"{package}.")


def recorded(net: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The call of a leaf."""
    tracer = args[0].tracer
    return tracer.create_proxy("call_module", tracer.path_of_module(net), args, named)
