"""Norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.porting.operations.norms import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    ResponseNorm,
)
from unified_blocks.porting.writing.keras.expressions import Call, call
from unified_blocks.porting.writing.keras.words.convolutions import parameters
from unified_blocks.porting.writing.keras.writer import Writing, last, writes


@writes(BatchNorm, follows=True)
def batch_norm(w: Writing) -> None:
    options: BatchNorm = w.operation
    gamma, beta, mean, variance = parameters(w)
    fixed = gamma.role != "parameter" and bool(np.all(gamma.data == 1))
    absent = beta.role != "parameter" and not np.any(beta.data)
    numbers: list[Any] = [("gamma", gamma, gamma.data)] * (not fixed)
    numbers += [("beta", beta, beta.data)] * (not absent)
    trained = any(each.role == "parameter" for _, each, _ in numbers)
    # One that is frozen as a whole uses its statistics; a model overrules `training=False`.
    fixed_statistics = options.frozen and trained
    layer = w.layer(
        "FixedBatchNormalization" if fixed_statistics else "layers.BatchNormalization",
        axis=w.axis(options.axis),
        momentum=options.momentum,
        epsilon=options.epsilon,
        center=not absent,
        scale=not fixed,
        weights=[
            *numbers,
            ("moving_mean", mean, mean.data),
            ("moving_variance", variance, variance.data),
        ],
        counts=not options.frozen,
    )
    w.give(Call(layer, (w.x,)))


@writes(LayerNorm, follows=True)
def layer_norm(w: Writing) -> None:
    gamma, beta = parameters(w)
    layer = w.layer(
        "layers.LayerNormalization",
        axis=w.axis(w.inputs[0].rank - 1),
        epsilon=w.operation.epsilon,
        weights=[("gamma", gamma, gamma.data), ("beta", beta, beta.data)],
    )
    w.give(Call(layer, (w.x,)))


@writes(GroupNorm, InstanceNorm, images=True)
def group_norm(w: Writing) -> None:
    gamma, beta = parameters(w)
    groups = w.operation.groups if isinstance(w.operation, GroupNorm) else -1
    layer = w.layer(
        "layers.GroupNormalization",
        groups,
        epsilon=w.operation.epsilon,
        weights=[("gamma", gamma, gamma.data), ("beta", beta, beta.data)],
    )
    w.give(Call(layer, (w.image(),)), last(w.inputs[0].rank))


@writes(ResponseNorm, images=True)
def response_norm(w: Writing) -> None:
    options: ResponseNorm = w.operation
    w.writer.words.add("response_norm")
    named = {"alpha": (options.alpha, 1e-4), "beta": (options.beta, 0.75), "k": (options.k, 1.0)}
    others = {name: value for name, (value, usual) in named.items() if value != usual}
    w.give(call("response_norm", w.image(), options.size, **others), last(w.inputs[0].rank))
