"""`source_of`: what a training's data is, and the `Source` for it."""

from __future__ import annotations

from typing import Any

from unified_blocks.backend import Backend, Loss
from unified_blocks.training.data.arrays import Arrays, check_samples
from unified_blocks.training.data.source import Source
from unified_blocks.training.data.stream import Stream, check_of_loader, is_loader
from unified_blocks.training.data.weights import ClassWeight, checked_weights, weights_of
from unified_blocks.training.losses import check_targets

BATCH_SIZE = 32
"""The batch size of `fit` when none is given."""


def source_of(
    backend: Backend,
    device: str | None,
    x: Any,
    y: Any = None,
    w: Any = None,
    *,
    batch_size: int,
    seed: int = 0,
    epochs: int = 1,
    accumulate: int = 1,
    class_weight: ClassWeight | None = None,
    loss: Loss | None = None,
) -> Source:
    """The batches of arrays, of a structure of them, or of a loader.

    Args:
        w: the weight of each sample; of a loader None, for they come with its batches.
        class_weight: the weight of each class, a factor on those.
        loss: whose targets they are, to be checked as they come; None to check none.

    Raises:
        ForeignTensorError: (a `TypeError`) another framework's tensor.
        TypeError: data that is no array, no structure of them and no loader.
        ValueError: arrays of different lengths, no samples, or targets, weights or a batch size
            beside a loader.
    """
    if is_loader(x):
        for name, given in (("y", y), ("sample_weight", w)):
            if given is not None:
                raise ValueError(
                    f"fit: {name} must come with the batches of a loader, (x, y, sample_weight); "
                    f"got a {type(x).__name__} and {name}=…: leave {name} out"
                )
        check_of_loader("fit", x, None if batch_size == BATCH_SIZE else batch_size)
        return Stream(
            backend,
            device,
            x,
            epochs=epochs,
            accumulate=accumulate,
            class_weight=class_weight,
            loss=loss,
        )
    if x is None:
        raise ValueError("fit: x must be arrays, tensors or a loader; got None")
    samples = check_samples("fit", x, y)
    if loss is not None:
        check_targets(loss, y)
    if w is not None:
        checked_weights("fit", w, samples)
    weights = weights_of(y, w, class_weight)
    return Arrays(
        backend,
        device,
        x,
        y,
        weights,
        batch_size=batch_size,
        seed=seed,
        accumulate=accumulate,
    )
