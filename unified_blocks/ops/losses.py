"""Losses: each the mean over all elements, or over the batch, of shape `()`."""

from __future__ import annotations

from typing import Any

from unified_blocks.dtypes import any_dtype_name
from unified_blocks.ops.dispatch import Namespace, beside, floating, together, whole
from unified_blocks.ops.elementwise import abs, log, minimum, square
from unified_blocks.ops.logic import greater, where
from unified_blocks.ops.neural import log_softmax, softplus
from unified_blocks.ops.reductions import mean, rank_of, sum


def mse(output: Any, y: Any, /) -> Any:
    """The mean over all elements of `(output - y)²`.

    Raises:
        ValueError: when the shapes differ: nothing is broadcast.

    Example::

        ub.ops.mse(ub.from_numpy([1.0, 2.0]), ub.from_numpy([1.0, 4.0]))  # 2
    """
    return mean(square(_difference("mse", output, y)))


def mae(output: Any, y: Any, /) -> Any:
    """The mean over all elements of `|output - y|`.

    Raises:
        ValueError: when the shapes differ: nothing is broadcast.

    Example::

        ub.ops.mae(ub.from_numpy([1.0, 2.0]), ub.from_numpy([1.0, 4.0]))  # 1
    """
    return mean(abs(_difference("mae", output, y)))


def l1(output: Any, y: Any, /) -> Any:
    """`mae` by the name that PyTorch and Gluon have for it.

    Raises:
        ValueError: when the shapes differ: nothing is broadcast.

    Example::

        ub.ops.l1(ub.from_numpy([1.0, 2.0]), ub.from_numpy([1.0, 4.0]))  # 1
    """
    return mean(abs(_difference("l1", output, y)))


def huber(output: Any, y: Any, /, *, delta: float = 1.0) -> Any:
    """The mean over all elements of `d²/2` where `d = |output - y| ≤ delta`, else of
    `delta (d - delta/2)`.

    As in PyTorch and Keras; Gluon's own is this over `delta`.

    Args:
        delta: above 0.

    Raises:
        ValueError: when the shapes differ, for nothing is broadcast; another `delta`.

    Example::

        ub.ops.huber(ub.from_numpy([1.0, 2.0]), ub.from_numpy([1.0, 4.0]))  # 0.75
    """
    if not delta > 0:
        raise ValueError(f"ops.huber: delta must be above 0; got delta={delta}")
    distance = abs(_difference("huber", output, y))
    near = minimum(distance, delta)
    return mean(near * near * 0.5 + (distance - near) * delta)


def cross_entropy(logits: Any, labels: Any, /, *, label_smoothing: float = 0.0) -> Any:
    """The mean over the batch of `-log softmax(logits)[label]`.

    With label smoothing s the target is not the label alone: `1 - s` of it, and `s / classes` of
    each class, the label's too (Szegedy et al., "Rethinking the Inception Architecture for Computer
    Vision", section 7; as in PyTorch and Keras).

    Args:
        logits: `(n, classes)`.
        labels: integers `(n,)` in [0, classes); for any other the loss is infinite.
        label_smoothing: s, in [0, 1).

    Raises:
        ValueError: for other shapes, or another `label_smoothing`.
        TypeError: for labels that are not integers.

    Example::

        logits, labels = ub.from_numpy([[2.0, 0.0], [0.0, 0.0]]), ub.from_numpy([0, 1])
        ub.ops.cross_entropy(logits, labels)  # 0.410
        ub.ops.cross_entropy(logits, labels, label_smoothing=0.1)  # 0.460
    """
    if not 0 <= label_smoothing < 1:
        raise ValueError(
            "ops.cross_entropy: label_smoothing must be in [0, 1); got "
            f"label_smoothing={label_smoothing}"
        )
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
    logs = log_softmax(logits)
    likelihood = sum(where(greater(chosen, 0), logs, 0), axis=-1)
    if label_smoothing:
        likelihood = likelihood * (1 - label_smoothing) + mean(logs, axis=-1) * label_smoothing
    # The logarithm is that of 0 for no class. MXNet cannot negate a mean, of shape (), everywhere.
    return mean(-(likelihood + log(sum(chosen, axis=-1))))


def binary_cross_entropy(logits: Any, y: Any, /) -> Any:
    """The mean over all elements of `-y log p - (1 - y) log(1 - p)`, with `p = sigmoid(logits)`.

    Computed as `softplus(z) - z y`, which does not overflow.

    Raises:
        ValueError: when the shapes differ: nothing is broadcast.

    Example::

        ub.ops.binary_cross_entropy(ub.from_numpy([0.0, 2.0]), ub.from_numpy([1.0, 1.0]))  # 0.410
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
