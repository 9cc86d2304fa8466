"""`source_of`: what a training's data is, and the `Source` for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from unified_blocks.backend import Backend, Loss
from unified_blocks.training.data.arrays import Arrays, check_samples
from unified_blocks.training.data.batches import Batch, mapped
from unified_blocks.training.data.source import Source
from unified_blocks.training.data.stream import Stream, batches_in
from unified_blocks.training.data.weights import ClassWeight, checked_weights, weights_of
from unified_blocks.training.gradients import native_batch

BATCH_SIZE = 32
"""The batch size of `fit` when none is given."""


def is_loader(x: Any) -> bool:
    """Whether data is to be gone through, batch by batch: it is no array and no structure of them.

    A list of batches `(x, y)` is a loader; a list of arrays is several inputs.
    """
    if x is None or hasattr(x, "shape") or isinstance(x, (dict, str, bytes)):
        return False
    if isinstance(x, (tuple, list)):
        return (
            bool(x)
            and all(isinstance(batch, (tuple, list)) for batch in x)
            and any(hasattr(part, "shape") for batch in x for part in batch)
        )
    return isinstance(x, Iterable) or callable(x) or hasattr(x, "__getitem__")


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
        loss: whose targets those of a loader are, to be checked as they come.

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
        if batch_size not in (BATCH_SIZE, getattr(x, "batch_size", None)):
            raise ValueError(
                f"fit: batches are made by the loader, a {type(x).__name__}; got "
                f"batch_size={batch_size}: leave it out"
            )
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
    if w is not None:
        checked_weights("fit", w, check_samples("fit", x, y))
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


def batches_of(
    backend: Backend,
    device: str | None,
    x: Any,
    y: Any = None,
    w: Any = None,
    *,
    batch_size: int | None = None,
    where: str = "evaluate",
) -> Iterator[Batch]:
    """All samples once, in their own order, in batches that the framework takes.

    Args:
        x, y, w: as `fit` takes them: arrays, structures of them, or a loader for `x`.
        batch_size: how many samples to a batch; None for all at once. Of a loader it is the
            loader's.
        where: the function that was given them, for messages.

    Raises:
        TypeError, ValueError: as `source_of`.
    """
    if is_loader(x):
        yield from batches_in(backend, device, x, where=where)
        return
    samples = check_samples(where, x, y)
    if w is not None:
        checked_weights(where, w, samples)
    for start in range(0, samples, batch_size or samples):
        end = min(samples, start + (batch_size or samples))
        whole = (start, end) == (0, samples)

        def native(part: Any, rows: slice | None = None if whole else slice(start, end)) -> Any:
            return native_batch(backend, part if rows is None else part[rows], device)

        ready: Batch = mapped(native, (x, y, w))
        yield ready
