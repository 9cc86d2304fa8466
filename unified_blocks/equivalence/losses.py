"""The loss on which the gradients of two models are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unified_blocks import ops
from unified_blocks.backend import Backend, Loss
from unified_blocks.equivalence.layouts import Move, taken
from unified_blocks.equivalence.sides import Model
from unified_blocks.errors import UnsupportedError
from unified_blocks.models.outputs import Leaf, Place, paired, tensors_in
from unified_blocks.training.losses import apply_loss, check_targets
from unified_blocks.types import Array


def loss_for(
    model: Model,
    leaves: Sequence[Leaf],
    moves: Mapping[Place, Move],
    targets: Array | None,
    loss: Loss | None,
) -> tuple[Any, Loss]:
    """The targets, as a tensor of the model, and the loss.

    Args:
        leaves: of the output of the first model.
        moves: how those of `model` are laid out otherwise.
    """
    if targets is None and loss is None:
        return None, weighted(model, leaves, moves)
    if targets is not None and len(leaves) == 1 and targets.ndim == leaves[0].array.ndim:
        targets = _of(leaves[0], targets, moves)
    y: Any = targets
    if targets is not None and targets.dtype.kind == "f" and model.dtype:
        y = model.backend.from_numpy(targets, model.device, model.dtype)
    chosen = loss or "mse"
    if callable(chosen) or model.output is None or model.output.is_tensor:
        return y, chosen
    return y, of_the_only_one(model.backend, chosen, y)


def of_the_only_one(backend: Backend, loss: str, y: Any) -> Loss:
    """A loss by name, of the one tensor that is in an output, whatever that is in.

    Raises:
        ValueError: as `check_targets`.
    """
    check_targets(loss, y)
    function = backend.loss_function(loss)

    def of_output(output: Any, *targets: Any) -> Any:
        found = tensors_in(backend, output)
        if len(found) != 1:
            raise UnsupportedError(
                f"compare: the loss {loss!r} is of one output; got {len(found)}: give a function "
                "that makes one number of them"
            )
        return apply_loss(function, found[0][1], *(targets or (None,)))

    return of_output


def _of(leaf: Leaf, array: Array, moves: Mapping[Place, Move]) -> Array:
    """An array that belongs to an output of the first model, as the model lays that out."""
    return np.asarray(taken(array, moves.get(leaf.place)), order="C")


def weighted(model: Model, leaves: Sequence[Leaf], moves: Mapping[Place, Move]) -> Loss:
    """The sum of all that a model gives, times fixed random numbers: all of it has an effect.

    Raises:
        UnsupportedError: when nothing that it gives has a gradient.
    """
    generator = np.random.default_rng(0)
    found = [leaf for leaf in leaves if leaf.array.dtype.kind == "f" and not leaf.plain]
    if not found:
        raise UnsupportedError(
            f"compare: gradients are of a model that gives floating-point numbers; got none from "
            f"{model.title}: compare with mode='forward'"
        )
    weights = [
        model.backend.from_numpy(
            _of(leaf, np.asarray(generator.normal(size=leaf.array.shape)), moves),
            model.device,
            model.dtype,
        )
        for leaf in found
    ]

    def of_output(output: Any) -> Any:
        tensors = tensors_in(model.backend, output)
        places = [place for place, _ in tensors]
        terms = [
            ops.sum(tensors[j][1] * weights[i])
            for i, j in paired([leaf.place for leaf in found], places)
            if i is not None and j is not None
        ]
        return sum(terms[1:], terms[0])

    return of_output
