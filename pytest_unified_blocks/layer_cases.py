"""Every layer, with arguments that matter to what it computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

import unified_blocks as ub
from unified_blocks.block.arguments import ACTIVATIONS
from unified_blocks.equivalence.matrix.cases import CASES, Case

BY_NAME: dict[str, Case] = {case.name: case for case in CASES}
"""The networks that the frameworks are compared on, by name."""

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
}
"""The class of each activation, by its name."""

LAYERS: dict[str, Callable[[], Any]] = {
    **{f"Activation {name}": partial(ub.Activation, name) for name in ACTIVATIONS},
    **{cls.__name__: cls for cls in CLASSES.values()},
    **{f"Dense {name}": partial(ub.Dense, 5, activation=name) for name in ACTIVATIONS},
    "Softmax": ub.Softmax,
    "Softmax 0": lambda: ub.Softmax(0),
    "LogSoftmax": ub.LogSoftmax,
    "LayerNorm": ub.LayerNorm,
    "LayerNorm epsilon": lambda: ub.LayerNorm(epsilon=0.1),
    "BatchNorm": ub.BatchNorm,
    "BatchNorm epsilon": lambda: ub.BatchNorm(epsilon=0.1),
    "Dropout": lambda: ub.Dropout(0.5),
    "Flatten": ub.Flatten,
}
"""What makes each layer, on the default backend in the default dtype."""


def made(make: Callable[[], Any], shape: Sequence[int], dtype: str = "float64") -> Any:
    """The layer, with random numbers, its variances positive."""
    with ub.use_dtype(dtype):
        net = ub.build(make(), shape)
    generator = np.random.default_rng(2)
    drawn = {k: generator.uniform(0.5, 1.5, a.shape) for k, a in ub.state(net).items()}
    return ub.load_state(net, {name: array.astype(dtype) for name, array in drawn.items()})
