"""Losses by their field names; each backend computes them with its own operations.

`"sum"`, `"mean"`: of all elements of the output. `"mse"`: the mean over all elements of
`(output - y)²`. `"cross_entropy"`: the mean over the batch of `-log softmax(output)[y]`, output
`(n, classes)` being logits and y `(n,)` whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

LOSSES = ("sum", "mean", "mse", "cross_entropy")
TARGETLESS = ("sum", "mean")


def check_loss(loss: str) -> str:
    """`loss` itself, checked.

    Raises:
        ValueError: when it is not a loss.
    """
    if loss not in LOSSES:
        raise ValueError(
            f"loss must be one of {', '.join(LOSSES)}, or a function of tensors; got {loss!r}"
        )
    return loss


def check_targets(loss: str | Callable[..., Any], y: Any) -> None:
    """Check that a loss by name gets the targets that it takes.

    Raises:
        ValueError: an unknown loss; targets for a loss without targets, or none for one that needs
            them; for `"cross_entropy"` targets that are not integers from 0 of shape `(n,)`.
    """
    if callable(loss):
        return
    if (check_loss(loss) in TARGETLESS) != (y is None):
        rule = "takes no targets" if y is not None else "needs targets"
        raise ValueError(f"loss {loss!r} {rule}; got y={'None' if y is None else '…'}")
    if loss == "cross_entropy":
        shape = tuple(y.shape)
        if len(shape) != 1:
            raise ValueError(f"loss 'cross_entropy' needs labels of shape (n,); got {shape}")
        if isinstance(y, np.ndarray) and (y.dtype.kind not in "iu" or (y.size and y.min() < 0)):
            raise ValueError(
                "loss 'cross_entropy' needs labels that are whole numbers from 0; got dtype "
                f"{y.dtype}, smallest {y.min()}"
            )


def check_alike(output: Any, y: Any) -> None:
    """Check the shape and dtype of the targets of `"mse"`: nothing is broadcast or cast.

    Raises:
        ValueError: when they differ.
    """
    if tuple(output.shape) != tuple(y.shape) or output.dtype != y.dtype:
        raise ValueError(
            f"loss 'mse' needs targets like the output, {tuple(output.shape)} of {output.dtype}; "
            f"got {tuple(y.shape)} of {y.dtype}"
        )


def apply_loss(function: Callable[..., Any], output: Any, y: Any) -> Any:
    """The value of a loss on tensors, with targets if there are any."""
    return function(output) if y is None else function(output, y)
