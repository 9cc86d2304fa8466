"""Layers of any shape, with arguments that matter to what they compute."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import unified_blocks as ub
from pytest_unified_blocks.layer_cases.case import LayerCase
from unified_blocks.block.rules import ACTIVATIONS

CLASSES: dict[str, type[ub.Block]] = {
    "relu": ub.ReLU,
    "leaky_relu": ub.LeakyReLU,
    "elu": ub.ELU,
    "selu": ub.SELU,
    "gelu": ub.GELU,
    "silu": ub.SiLU,
    "sigmoid": ub.Sigmoid,
    "hard_sigmoid": ub.HardSigmoid,
    "tanh": ub.Tanh,
    "softplus": ub.Softplus,
    "softsign": ub.Softsign,
    "relu6": ub.ReLU6,
    "hard_swish": ub.HardSwish,
    "mish": ub.Mish,
}
"""The class of each activation, by its name."""

MAKERS: dict[str, Callable[[], Any]] = {
    **{f"Activation {name}": partial(ub.Activation, name) for name in ACTIVATIONS},
    **{cls.__name__: cls for cls in CLASSES.values()},
    **{f"Dense {name}": partial(ub.Dense, 5, activation=name) for name in ACTIVATIONS},
    "GELU tanh": lambda: ub.GELU(approximate=True),
    "Softmax": ub.Softmax,
    "Softmax 0": lambda: ub.Softmax(0),
    "LogSoftmax": ub.LogSoftmax,
    "Dropout": lambda: ub.Dropout(0.5),
    "Flatten": ub.Flatten,
}
GENERAL = {name: LayerCase(make) for name, make in MAKERS.items()}
"""Layers of vectors, which take more axes too."""
