"""Losses: each the mean over all elements, or over the batch, of shape `()`."""

from __future__ import annotations

from typing import Any

from unified_blocks.dtypes import any_dtype_name
from unified_blocks.ops.dispatch import Namespace, beside, floating, together, whole
from unified_blocks.ops.elementwise import abs, greater, log, minimum, square, where
from unified_blocks.ops.neural import log_softmax, softplus
from unified_blocks.ops.reductions import mean, rank_of, sum


def mse(output: Any, y: Any, /) -> Any:
    """The mean over all elements of `(output - y)²`.

    Raises:
        ValueError: when the shapes differ: nothing is broadcast.
    """
    return mean(square(_difference("mse", output, y)))


def mae(output: Any, y: Any, /) -> Any:
    """The mean over all elements of `|output - y|`.

    Raises:
        ValueError: when the shapes differ: nothing is broadcast.
    """
    return mean(abs(_difference("mae", output, y)))


def huber(output: Any, y: Any, /, *, delta: float = 1.0) -> Any:
    """The mean over all elements of `d²/2` where `d = |output - y| ≤ delta`, else of
    `delta (d - delta/2)`.

    Raises:
        ValueError: when the shapes differ: nothing is broadcast.
    """
    distance = abs(_difference("huber", output, y))
    near = minimum(distance, delta)
    return mean(near * near * 0.5 + (distance - near) * delta)


def cross_entropy(logits: Any, labels: Any, /) -> Any:
    """The mean over the batch of `-log softmax(logits)[label]`.

    Args:
        logits: `(n, classes)`.
        labels: integers `(n,)` in [0, classes); for any other the loss is infinite.

    Raises:
        ValueError: for other shapes.
        TypeError: for labels that are not integers.
    """
    logits = _wide(floating("cross_entropy", logits), logits)
    if rank_of(logits) not in (None, 2) or rank_of(labels) not in (None, 1):
        raise ValueError(
            "ops.cross_entropy must be given logits (n, classes) and labels (n,); got "
            f"{rank_of(logits)} and {rank_of(labels)} dimensions"
        )
    known = rank_of(logits) is not None and rank_of(labels) is not None
    if known and logits.shape[0] != labels.shape[0]:
        raise ValueError(
            "ops.cross_entropy must be given as many labels as logits; got "
            f"{labels.shape[0]} and {logits.shape[0]}"
        )
    namespace = beside("cross_entropy", logits, labels)
    chosen = namespace.one_hot_like(whole("cross_entropy", labels), logits)
    likelihood = sum(where(greater(chosen, 0), log_softmax(logits), 0), axis=-1)
    return -mean(likelihood + log(sum(chosen, axis=-1)))  # the logarithm of 0 for no class


def binary_cross_entropy(logits: Any, y: Any, /) -> Any:
    """The mean over all elements of `-y log p - (1 - y) log(1 - p)`, with `p = sigmoid(logits)`.

    Computed as `softplus(z) - z y`, which does not overflow.

    Raises:
        ValueError: when the shapes differ: nothing is broadcast.
    """
    _difference("binary_cross_entropy", logits, y)
    logits = _wide(floating("binary_cross_entropy", logits), logits)
    return mean(softplus(logits) - logits * y)


def _difference(name: str, output: Any, y: Any) -> Any:
    namespace = together(name, output, y)
    if rank_of(output) is not None and rank_of(y) is not None:  # symbols have none
        shape, given = tuple(output.shape), tuple(y.shape)
        if shape != given:
            raise ValueError(
                f"ops.{name}: the targets must have the shape of the output, {shape}; got {given}"
            )
    return _wide(namespace, output) - y


def _wide(namespace: Namespace, x: Any) -> Any:
    """`x`, in float32 where the framework chooses the dtype: it does so in its own losses."""
    if namespace.casts(x) and any_dtype_name(x.dtype) in ("float16", "bfloat16"):
        return namespace.astype(x, "float32")
    return x
