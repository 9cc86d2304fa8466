"""The weight of each sample, of what is given for samples and for classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unified_blocks.backend.tensors import to_numpy
from unified_blocks.types import Array

ClassWeight = Mapping[int, float] | Array
"""A weight for each label: by label, or an array of them `(classes,)`."""


def weights_of(
    y: Any,
    sample_weight: Any = None,
    class_weight: ClassWeight | None = None,
    where: str = "fit",
) -> Array | None:
    """The weight of each sample, `(n,)` in float64: that of its class times its own.

    Args:
        y: labels `(n,)`, or one-hot `(n, classes)`, which are read by their largest number.
        sample_weight: `(n,)`, an array or a tensor, none below 0; None for ones.
        class_weight: by label, of those that are left out 1; or an array `(classes,)`; None for
            ones.
        where: the function that was given them, for messages.

    Returns:
        None when neither is given.

    Raises:
        ValueError: weights below 0 or not finite, not as many as samples, or a label without one
            in an array.
        TypeError: what is no array of numbers, or a class that is no whole number.
    """
    weights = None
    if sample_weight is not None:
        samples = len(y) if hasattr(y, "__len__") and hasattr(y, "shape") else None
        array = checked_weights(where, sample_weight, samples)
        weights = np.asarray(to_numpy(array), "float64")
        check_numbers(f"{where}: sample_weight", weights)
    if class_weight is not None:
        of_classes = weights_of_classes(where, labels_of(where, y), class_weight)
        weights = of_classes if weights is None else weights * of_classes
    if weights is not None and not weights.any():
        raise ValueError(
            f"{where}: a sample must have a weight above 0, for a mean of all to be one; got "
            f"{len(weights)} weights that are 0"
        )
    return weights


def checked_weights(where: str, weights: Any, samples: int | None) -> Any:
    """Weights of samples as they are: an array or a tensor `(samples,)`.

    Numbers are looked at where that does not wait for the device: those of an array.

    Raises:
        TypeError: for what is neither.
        ValueError: for another shape, or numbers that are below 0 or not finite.
    """
    if not hasattr(weights, "shape"):
        raise TypeError(
            f"{where}: sample_weight must be an array or a tensor; got a "
            f"{type(weights).__name__}: give numpy.asarray(sample_weight)"
        )
    shape = tuple(weights.shape)
    if len(shape) != 1 or samples not in (None, shape[0]):
        raise ValueError(
            f"{where}: sample_weight must have a weight for each sample, "
            f"({'n' if samples is None else samples},); got {shape}"
        )
    if isinstance(weights, np.ndarray):
        check_numbers(f"{where}: sample_weight", weights)
    return weights


def check_numbers(what: str, weights: Array) -> None:
    """Raise a `ValueError` unless these are finite numbers from 0."""
    if weights.dtype.kind not in "biuf":
        raise ValueError(f"{what} must be real numbers; got dtype {weights.dtype}")
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        raise ValueError(
            f"{what} must be finite and at least 0; got {weights[wrong][0]} and "
            f"{int(wrong.sum()) - 1} more such"
        )


def labels_of(where: str, y: Any) -> Array:
    """The labels `(n,)` that class weights are for."""
    if not hasattr(y, "shape"):
        got = "no targets" if y is None else f"a {type(y).__name__}"
        raise ValueError(f"{where}: class_weight needs labels for targets; got {got}")
    labels = np.asarray(to_numpy(y))
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(axis=1)
    if labels.ndim != 1 or labels.dtype.kind not in "biu":
        raise ValueError(
            f"{where}: class_weight needs whole numbers (n,), or one-hot (n, classes); got targets "
            f"of shape {tuple(y.shape)} and dtype {labels.dtype}: give sample_weight instead"
        )
    return labels


def weights_of_classes(where: str, labels: Array, class_weight: ClassWeight) -> Array:
    """The weight of the class of each sample."""
    if not isinstance(class_weight, Mapping):
        table = np.asarray(to_numpy(class_weight) if hasattr(class_weight, "shape") else [])
        if table.ndim != 1 or not table.size:
            raise ValueError(
                f"{where}: class_weight must be {{label: weight}}, or an array (classes,); got "
                + (f"shape {table.shape}" if table.size else f"a {type(class_weight).__name__}")
            )
        check_numbers(f"{where}: class_weight", table)
        if labels.size and not 0 <= labels.min() <= labels.max() < len(table):
            raise ValueError(
                f"{where}: class_weight must have a weight for each label, here from 0 to "
                f"{len(table) - 1}; got labels from {labels.min()} to {labels.max()}"
            )
        return table.astype("float64")[labels]
    weights = np.ones(len(labels))
    for label, weight in class_weight.items():
        if not isinstance(label, (int, np.integer, np.bool_)):
            raise TypeError(
                f"{where}: the labels of class_weight must be whole numbers, as in {{1: 2.0}}; got "
                f"{label!r}: give the number that stands for it in y"
            )
        check_numbers(f"{where}: class_weight", np.asarray([weight]))
        weights[labels == label] = weight
    return weights
