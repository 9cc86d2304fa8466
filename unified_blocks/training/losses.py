"""Losses by their field names; each backend computes them with its own operations.

`"sum"`, `"mean"`: of all elements of the output. `"mse"`: the mean over all elements of
`(output - y)²`. `"cross_entropy"`: the mean over the batch of `-log softmax(output)[y]`, output
`(n, classes)` being logits and y `(n,)` whole numbers.
"""

from __future__ import annotations

LOSSES = ("sum", "mean", "mse", "cross_entropy")
TARGETLESS = ("sum", "mean")


def check_loss(loss: str) -> str:
    """`loss` itself, if it is one.

    Raises:
        ValueError: else.
    """
    if loss not in LOSSES:
        raise ValueError(
            f"loss must be one of {', '.join(LOSSES)}, or a function of tensors; got {loss!r}"
        )
    return loss
