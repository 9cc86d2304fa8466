"""Losses by their field names; each backend computes them with its own operations.

`"sum"`, `"mean"`: of all elements of the output. `"mse"`, `"l1"`, `"huber"`,
`"binary_cross_entropy"`: the means over all elements that `ub.ops` has by these names.
`"cross_entropy"`: the mean over the batch of `-log softmax(output)[y]`, output `(n, classes)` being
logits and y `(n,)` whole numbers. `delta` of `ops.huber` and `label_smoothing` of
`ops.cross_entropy` have their defaults; for others give a function, such as
`functools.partial(ub.ops.huber, delta=0.5)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

LOSSES = ("sum", "mean", "mse", "cross_entropy", "l1", "huber", "binary_cross_entropy")
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
            them; for `"cross_entropy"` targets that are not integers from 0 of shape `(n,)`; for
            `"binary_cross_entropy"` an array of numbers that are not all from 0 to 1.
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
    if loss == "binary_cross_entropy" and isinstance(y, np.ndarray) and y.size:
        low, high = y.min(), y.max()
        if not 0 <= low <= high <= 1:
            raise ValueError(
                "loss 'binary_cross_entropy' needs targets from 0 to 1; got some from "
                f"{low} to {high}"
            )


def check_alike(loss: str, output: Any, y: Any) -> None:
    """Check the shape and dtype of the targets of a loss by name: nothing is broadcast or cast.

    Raises:
        ValueError: when they differ.
    """
    if tuple(output.shape) != tuple(y.shape) or output.dtype != y.dtype:
        raise ValueError(
            f"loss {loss!r} needs targets like the output, {tuple(output.shape)} of "
            f"{output.dtype}; got {tuple(y.shape)} of {y.dtype}"
        )


def apply_loss(function: Callable[..., Any], output: Any, y: Any) -> Any:
    """The value of a loss on tensors, with targets if there are any."""
    return function(output) if y is None else function(output, y)
