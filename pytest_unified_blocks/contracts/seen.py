"""The results of a block on one device, with its variables and layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unified_blocks.types import Array, State


@dataclass(frozen=True)
class Seen:
    """The results of the block on one device, with the numbers that its seed draws.

    Attributes:
        numbers: its state before training, and `roles` of each.
        output: in inference.
        loss, gradients: in inference too; `"x"` is the input's.
        losses: of each step of training; `trained` is the state after them.
    """

    numbers: State
    roles: dict[str, str]
    output: Array
    loss: Array
    gradients: State
    losses: Array
    trained: State


def is_statistic(backend: Any, variable: Any) -> bool:
    """Whether it is a running statistic, which training updates."""
    of_a_norm: bool = backend.kind_of(variable.owner) == "BatchNorm"
    return of_a_norm and variable.role == "constant"


def modes_of(backend: Any, net: Any) -> list[Any]:
    """The mode of each layer, where layers have one, and whether it is frozen."""
    return [
        (getattr(layer, "training", None), getattr(layer, "trainable", None))
        for _, layer in backend.layers(net)
    ]
