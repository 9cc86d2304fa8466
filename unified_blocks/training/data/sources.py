"""`source_of`: what a training's data is, and the `Source` for it."""

from __future__ import annotations

from typing import Any

from unified_blocks.backend import Backend
from unified_blocks.errors import UnsupportedError
from unified_blocks.training.data.arrays import Arrays
from unified_blocks.training.data.source import Source
from unified_blocks.training.data.stream import Stream
from unified_blocks.training.words import must_be_left_out


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
) -> Source:
    """The batches of arrays, of a structure of them, or of a loader.

    Raises:
        UnsupportedError: for a loader, or several inputs, in this version.
        ForeignTensorError: (a `TypeError`) another framework's tensor.
        ValueError: arrays of different lengths, or no samples.
    """
    must_be_left_out("fit", accumulate=(accumulate, 1))
    if isinstance(x, (tuple, list, dict)):
        raise UnsupportedError(
            "fit: x must be one array of samples, because this version has no rule for several; "
            f"got a {type(x).__name__}: of numbers, give numpy.asarray(x)"
        )
    if not hasattr(x, "__len__") or not hasattr(x, "shape"):
        return Stream(backend, device, x, epochs=epochs, accumulate=accumulate)
    return Arrays(backend, device, x, y, w, batch_size=batch_size, seed=seed)
