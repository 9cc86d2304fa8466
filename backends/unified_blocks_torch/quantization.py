"""Blocks for PyTorch's eager quantization, which looks for layers of exactly its own classes.

It goes from a module to those inside it, and first sets the attribute `qconfig` of each.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

OWN: dict[type[Any], type[nn.Module]] = {}
"""The class of PyTorch's own of each class of layers that is quantized."""


@dataclass
class Activate:
    """A hook that applies the activation of a layer; a quantized layer keeps the hooks."""

    activation: Any

    def __call__(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        return self.activation(output)


def become_own(net: nn.Module, qconfig: Any) -> bool:
    """Turn the layers in `net` into PyTorch's own, in place; whether there are any.

    A layer that is asked itself has been passed by already, unless it is given a `qconfig`.
    """
    if type(net) in OWN and qconfig is None:
        if is_built(net):
            name = type(net).__name__
            warnings.warn(
                f"{name}: for PyTorch's quantization a layer of this library must be in a block; "
                f"got one in another module, which is left as it is: use ub.MySequential around "
                f"{name}, or nn.{OWN[type(net)].__name__} in its place",
                stacklevel=2,
            )
        return False
    layers: list[Any] = [layer for layer in net.modules() if type(layer) in OWN and is_built(layer)]
    for layer in layers:
        if hasattr(layer, "_initialize_hook"):  # loaded, but not called yet
            layer._infer_parameters(layer, (torch.empty(0, layer.weight.shape[-1]),))
        activation = getattr(layer, "activation", None)
        if activation is not None:
            layer.register_forward_hook(Activate(activation), prepend=True)
        layer.__class__ = OWN[type(layer)]
    return bool(layers)


def is_built(layer: Any) -> bool:
    lazy = getattr(layer, "has_uninitialized_params", None)
    return lazy is None or not lazy()
