"""`predict`: the outputs of a model on some data, as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.backend.tensors import numbers_of
from unified_blocks.training.data.batches import mapped, tensors_in
from unified_blocks.training.watching.outputs import Outputs, batches_of
from unified_blocks.training.watching.progress import samples_bar
from unified_blocks.types import Array


def predict(net: Any, x: Any, *, batch_size: int | None = None, progress: bool = False) -> Any:
    """The outputs of a model, in inference mode.

    Args:
        net: a built model of any framework.
        x: inputs, as `fit` takes them; of a loader of `(x, y)` the targets are not looked at.
        batch_size: how many samples to run at once; left out, at most 8192. The device holds the
            outputs of two batches, and the others are in the memory of the host. Of a loader it is
            the loader's.
        progress: whether to draw a bar; only in a terminal, and where Rich is installed.

    Returns:
        A NumPy array, or a tuple, list or dict of them, as the model gives; bfloat16 as float32.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        TypeError: another framework's tensor.
        ValueError: no samples, a batch size beside a loader, or outputs of which the first axis is
            not that of the samples, when they come in several batches.

    Example::

        net = ub.build(ub.MLP(16, 4), (8, 2))
        ub.predict(net, np.ones((8, 2), "float32")).shape  # (8, 4)
    """
    outputs = Outputs(net, "predict")
    waiting: list[Any] = []
    parts: list[Any] = []
    sizes: list[int] = []

    def fetch() -> None:
        numbers = mapped(lambda tensor: numbers_of(outputs.backend, tensor)[0], waiting.pop(0))
        parts.append(numbers)

    def then(output: Any) -> None:
        waiting.append(output)
        if len(waiting) > 1:  # the device computes one batch while another comes to the host
            fetch()

    with samples_bar("predict", x, progress) as told:

        def inputs() -> Any:
            for batch in batches_of("predict", outputs, (x, None, None), batch_size):
                sizes.append(len(next(tensors_in(batch[0]))))
                told(sizes[-1])
                yield batch[0], None, None

        outputs.each(inputs(), then)
    if waiting:
        fetch()
    if not parts:
        raise ValueError("predict: x must hold a sample at least; got none")
    return parts[0] if len(parts) == 1 else joined(parts, sizes)


def joined(parts: list[Any], sizes: list[int]) -> Any:
    """Structures of arrays, one for each batch, as one of them all."""
    columns = zip(*(tensors_in(part) for part in parts), strict=True)
    arrays = iter([concatenated(column, sizes) for column in columns])
    return mapped(lambda _: next(arrays), parts[0])


def concatenated(arrays: tuple[Array, ...], sizes: list[int]) -> Array:
    """Arrays of so many samples each, one after the other.

    Raises:
        ValueError: for others.
    """
    if [array.shape[0] if array.ndim else None for array in arrays] != sizes:
        raise ValueError(
            "predict: for several batches an output must have an axis of samples, the first; got "
            f"shape {arrays[0].shape} for {sizes[0]} samples: give a batch_size that holds all"
        )
    return np.concatenate(arrays)
