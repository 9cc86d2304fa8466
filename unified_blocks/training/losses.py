"""Losses by their field names; each backend computes them with its own operations.

`"sum"`, `"mean"`: of all elements of the output. `"mse"`, `"l1"`, `"huber"`,
`"binary_cross_entropy"`: the means over all elements that `ub.ops` has by these names.
`"cross_entropy"`: the mean over the batch of `-log softmax(output)[y]`, output `(n, classes)` being
logits and y `(n,)` whole numbers; or, y being `(n, classes)`, one-hot or shares of classes, of
`-Σ_c y_c log softmax(output)_c`. `delta` of `ops.huber` and `label_smoothing` of
`ops.cross_entropy` have their defaults; for others give a function, such as
`functools.partial(ub.ops.huber, delta=0.5)`.

With weights of samples the loss is `Σ wᵢ lᵢ / Σ wᵢ`, lᵢ being the mean over the other axes of
sample i; of weights that are all 0 it is 0. So a sample of weight 2 is as two of it, and only how
the weights compare matters. PyTorch does so with weights of classes; Keras divides by n.
A loss that is a function is called with `sample_weight=w`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
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
            them; for `"cross_entropy"` targets that are neither integers from 0 of shape `(n,)` nor
            one-hot, `(n, classes)` from 0; for `"binary_cross_entropy"` an array of numbers that
            are not all from 0 to 1.
        TypeError: targets that are not one array or tensor.
    """
    if callable(loss):
        return
    if (check_loss(loss) in TARGETLESS) != (y is None):
        rule = "takes no targets" if y is not None else "needs targets"
        raise ValueError(f"loss {loss!r} {rule}; got y={'None' if y is None else '…'}")
    if y is not None and not hasattr(y, "shape"):
        raise TypeError(
            f"loss {loss!r} needs one array or tensor of targets; got a {type(y).__name__}: give "
            "numpy.asarray(…) of numbers, or for several targets a loss that is a function"
        )
    if y is not None and loss == "cross_entropy":
        shape = tuple(y.shape)
        if len(shape) != 1 and (len(shape) != 2 or shape[1] == 1):
            raise ValueError(
                f"loss 'cross_entropy' needs labels of shape (n,); got {shape}: or give one-hot "
                "targets (n, classes)"
            )
        if len(shape) == 2:
            check_shares(y)
        elif isinstance(y, np.ndarray) and (y.dtype.kind not in "iu" or (y.size and y.min() < 0)):
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


def check_shares(y: Any) -> None:
    """Check that one-hot targets, if they are an array, are numbers from 0.

    Raises:
        ValueError: when they are not.
    """
    if not isinstance(y, np.ndarray) or not y.size:
        return
    real = y.dtype.kind in "biuf"
    if not real or not y.min() >= 0:
        raise ValueError(
            "loss 'cross_entropy' needs one-hot targets that are numbers from 0; got dtype "
            f"{y.dtype}" + (f", smallest {y.min()}" if real else "")
        )


def is_one_hot(output: Any, y: Any) -> bool:
    """Whether targets of `"cross_entropy"` are one-hot, and not labels.

    Raises:
        ValueError: for one-hot ones that are not like the output.
    """
    if len(y.shape) < 2:
        return False
    if tuple(output.shape) != tuple(y.shape):
        raise ValueError(
            "loss 'cross_entropy' needs one-hot targets like the output, "
            f"{tuple(output.shape)}; got {tuple(y.shape)}: one column for each class"
        )
    return True


def check_weighted(loss: str | Callable[..., Any]) -> None:
    """Check that a loss takes weights of samples.

    Raises:
        ValueError: `"sum"` and `"mean"`, an unknown loss, or a function without `sample_weight`.
    """
    if not callable(loss):
        if check_loss(loss) in TARGETLESS:
            raise ValueError(
                "weights of samples need a loss of samples, such as 'mse'; got weights and loss "
                f"{loss!r}: leave the weights out"
            )
        return
    if not takes_weights(loss):
        named = parameters_of(loss)
        raise ValueError(
            "weights of samples need a loss that takes them; got weights and "
            f"{getattr(loss, '__name__', type(loss).__name__)}{tuple(named)!r}: write "
            "loss(output, y, sample_weight), or give a loss by its name"
        )


def parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of a function; none of one that does not tell."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # of C
        return {}


def takes_weights(function: Callable[..., Any]) -> bool:
    """Whether a loss or a metric that is a function takes `sample_weight`."""
    return any(
        name == "sample_weight" or parameter.kind is parameter.VAR_KEYWORD
        for name, parameter in parameters_of(function).items()
    )


def check_lengths(losses: Any, w: Any) -> None:
    """Check that there is a weight for each sample.

    Raises:
        ValueError: when the shapes differ.
    """
    if tuple(losses.shape) != tuple(w.shape):
        raise ValueError(
            f"sample_weight must have a weight for each sample, {tuple(losses.shape)}; got "
            f"{tuple(w.shape)}"
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
