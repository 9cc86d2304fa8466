"""`Outputs`: what a model gives for batches, in inference mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from unified_blocks.backend import Backend
from unified_blocks.backend.tensors import backend_of
from unified_blocks.models.variables import all_built, device_of_variables
from unified_blocks.training.data.arrays import check_samples
from unified_blocks.training.data.batches import Batch, mapped, mapper_of, tensors_in
from unified_blocks.training.data.stream import batches_in, check_of_loader, is_loader
from unified_blocks.training.data.weights import checked_weights
from unified_blocks.training.gradients import native_batch
from unified_blocks.training.words import check_count

AT_ONCE = 8192
"""How many samples to run at once when nobody says: as many as a small model has memory for."""


class Outputs:
    """Runs a model on batches in inference mode: on one as it is, on many as its framework likes.

    Args:
        net: a built model of any framework.
        where: the function that needs it, for messages.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
    """

    def __init__(self, net: Any, where: str) -> None:
        self.net, self.backend = net, backend_of(net)
        variables = all_built(net, where)
        self.device = device_of_variables(variables)
        self.mixed = any(v.dtype == "float32" for v in variables)

    key: Any = "output"
    """What `of` computes by the model and by nothing else; None when that cannot be told."""

    def of(self, x: Any, y: Any, w: Any) -> Any:
        """What it gives for a batch, inside `Backend.inferring`."""
        return self.backend.inferred(self.net, inputs_of(x))

    @cached_property
    def often(self) -> Callable[..., Any]:
        """`of`, for many calls."""
        return self.backend.repeated(self.net, self.of, self.key)

    def each(
        self, batches: Iterable[Batch], then: Callable[[Any], None], repeated: bool = False
    ) -> None:
        """Do `then` with what it gives for each batch.

        Args:
            batches: they are asked for one after the other.
            then: gets a tensor, or what the model gives of them.
            repeated: whether to run even one batch as many are run, for it will come again.
        """
        waiting = iter(batches)
        begun = [batch for _, batch in zip(range(2), waiting, strict=False)]
        call = self.often if repeated or len(begun) > 1 else self.of
        with self.backend.inferring(self.net):
            for batch in chain(begun, waiting):
                then(call(*batch))


def output_of(backend: Backend, net: Any, x: Any) -> Any:
    """The output of one call without gradients, of a tensor or of several."""
    return backend.run(net, inputs_of(x))


def inputs_of(x: Any) -> Any:
    """The inputs of a model, as `Backend.run` takes them: of a tensor, or of several.

    Those of a tuple are given one after the other, as those of a dict are in the order of what
    computes them. A dict whose names are others is one input, for models that take it so.
    """
    if isinstance(x, (tuple, list)):
        return list(x)
    return x if isinstance(x, dict) else [x]


def batches_of(
    where: str, outputs: Outputs, data: tuple[Any, Any, Any], batch_size: int | None = None
) -> Iterator[Batch]:
    """The samples of `(x, y, w)` once, in their own order, on the model's device.

    Of a loader for `x` they are in its batches, which have targets and weights of their own.

    Raises:
        TypeError: for a batch size that is no whole number, or what is no array.
        ValueError: for a batch size below 1 or beside a loader, no samples, arrays of different
            lengths, or weights that are not one for each sample, finite and at least 0.
    """
    if batch_size is not None:
        batch_size = check_count(where, "batch_size", batch_size)
    if is_loader(data[0]):
        check_of_loader(where, data[0], batch_size)
        if any(given is not None for given in data[1:]):
            raise ValueError(
                f"{where}: targets and weights must come with the batches of a loader; got a "
                f"{type(data[0]).__name__} and others beside it: leave them out"
            )
        yield from batches_in(outputs.backend, outputs.device, data[0], where=where)
        return
    batch_size = AT_ONCE if batch_size is None else batch_size
    samples = check_samples(where, *data[:2])
    if data[2] is not None:
        checked_weights(where, data[2], samples)
    native = partial(native_batch, outputs.backend, device=outputs.device)
    if samples <= batch_size:
        x, y, w = mapped(native, data)
        yield x, y, w
        return
    each = mapper_of(data)
    # What is on the device is cut there; of what is not, a batch at a time comes to it.
    data = each(lambda array: array if isinstance(array, np.ndarray) else native(array), data)
    on_device = not any(isinstance(array, np.ndarray) for array in tensors_in(data))
    for start in range(0, samples, batch_size):
        rows = slice(start, start + batch_size)
        if on_device:
            x, y, w = each(itemgetter(rows), data)
        else:
            x, y, w = each(lambda array, rows=rows: native(array[rows]), data)
        yield x, y, w
