"""`Arrays`: samples that are all in memory, in an order drawn from one seed."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import numpy as np

from unified_blocks.backend import Backend, TrainingStep
from unified_blocks.backend.tensors import to_numpy
from unified_blocks.training.data.batches import Batch, mapped, tensors_in
from unified_blocks.training.data.source import Masses, Rate, Source, announce, updated
from unified_blocks.training.gradients import native_batch
from unified_blocks.types import Array


def check_samples(where: str, x: Any, y: Any) -> int:
    """How many samples there are.

    Raises:
        ValueError: none, or not as many targets as inputs.
    """
    lengths = [length_of(where, array) for array in tensors_in((x, y))]
    samples = lengths[0] if lengths and next(tensors_in(x), None) is not None else 0
    if samples == 0 or set(lengths) != {samples}:
        raise ValueError(
            f"{where}: x and y must hold the same number of samples, at least one; got "
            + (" and ".join(map(str, lengths)) or "none")
        )
    return samples


def check_arrays(where: str, *data: Any) -> None:
    """Check that data is of arrays and tensors.

    Raises:
        TypeError: what is neither, such as numbers in lists.
    """
    for array in tensors_in(data):
        if not hasattr(array, "shape"):
            raise TypeError(
                f"{where}: x and y must be arrays or tensors, or tuples, lists and dicts of them; "
                f"got a {type(array).__name__} where an array must be: give numpy.asarray(…) of "
                "numbers"
            )


def length_of(where: str, array: Any) -> int:
    """How many samples an array or a tensor has.

    Raises:
        TypeError: what is neither, such as numbers in lists.
        ValueError: without an axis of samples, or with rows that are no numbers.
    """
    check_arrays(where, array)
    if isinstance(array, np.ndarray) and array.dtype == object:
        raise ValueError(
            f"{where}: x and y must be arrays of numbers, all samples of the same shape; got one "
            f"of Python objects, {array.shape}: pad the samples to the same shape"
        )
    if not tuple(array.shape):
        raise ValueError(
            f"{where}: x and y must have samples along their first axis; got a single number"
        )
    if None in tuple(array.shape):
        raise ValueError(
            f"{where}: x and y must have samples of the same shape; got a "
            f"{type(array).__name__} of shape {tuple(array.shape)}: pad them, as .to_tensor() does"
        )
    return int(array.shape[0])


class Arrays(Source):
    """Samples in memory.

    Each epoch goes through them in an order drawn from one NumPy `Generator(PCG64(seed))`, so that
    it is the same on every backend; the last batch may be smaller.

    Args:
        backend, device: whose tensors the arrays become, and where.
        x, y, w: inputs, targets or None, and weights `(n,)` or None; NumPy arrays or tensors of
            that backend, samples first, or structures of them.
        batch_size: how many samples to a batch.
        seed: of the order.
        accumulate: how many batches to an update; the last of an epoch may have fewer.
    """

    fixed = True

    def __init__(
        self,
        backend: Backend,
        device: str | None,
        x: Any,
        y: Any = None,
        w: Any = None,
        *,
        batch_size: int,
        seed: int = 0,
        accumulate: int = 1,
    ) -> None:
        self.samples: int = check_samples("fit", x, y)
        self.batch_size, self.accumulate = batch_size, accumulate
        self.rows_each = batch_size * accumulate
        self.x, self.y, self.w = (
            mapped(lambda array: native_batch(backend, array, device), part) for part in (x, y, w)
        )
        self.weighted = w is not None
        self.weights = None if w is None else np.asarray(to_numpy(w), "float64")
        self.masses: list[float] = [
            min(self.rows_each, self.samples - i) for i in range(0, self.samples, self.rows_each)
        ]
        self.steps: int = len(self.masses)
        self.plain = w is None and accumulate == 1
        self.generator = np.random.Generator(np.random.PCG64(seed))
        self.drawn_from = self.generator.bit_generator.state
        self.order, self.done = np.arange(0, dtype="int64"), self.steps

    def first(self) -> Batch:
        x, y, w = (
            mapped(lambda array: array[: self.batch_size], part)
            for part in (self.x, self.y, self.w)
        )
        return x, y, w

    def begin(self, epoch: int, skip: int = 0) -> None:
        self.drawn_from = self.generator.bit_generator.state
        self.order = self.generator.permutation(self.samples).astype("int64", copy=False)
        if self.weights is not None:
            starts = range(0, self.samples, self.rows_each)
            self.masses = np.add.reduceat(self.weights[self.order], starts).tolist()
        self.done = skip

    def take(
        self, step: TrainingStep, count: int | None = None, rates: Array | None = None
    ) -> tuple[Array, Masses]:
        start = self.done
        self.done = self.steps if count is None else min(self.steps, start + count)
        if start == self.done:
            return np.zeros(0), []
        rows = self.order[start * self.rows_each : self.done * self.rows_each]
        more = {name: v for name, v in (("w", self.w), ("rates", rates)) if v is not None}
        announce(step, self.w)
        losses = step.epoch(self.x, self.y, rows, self.batch_size, **more)
        return losses, self.masses[start : self.done]

    def one(self, step: TrainingStep, rate: Rate | None = None) -> tuple[Any, float] | None:
        if self.done == self.steps:
            return None
        start, self.done = self.done, self.done + 1
        rows = self.order[start * self.rows_each : self.done * self.rows_each]
        batches = [
            step.gather((self.x, self.y, self.w), rows[i : i + self.batch_size])
            for i in range(0, len(rows), self.batch_size)
        ]
        return updated(step, batches, self.accumulate, rate), self.masses[start]

    def each(self, step: TrainingStep, rate: Rate | None = None) -> Iterator[tuple[Any, float]]:
        if step.options.group is not None or not self.plain or rate is not None:
            yield from super().each(step, rate)
            return
        size, at_once, data = self.batch_size, step.gathers, (self.x, self.y)
        x, y = data
        for start in range(self.done, self.steps, at_once):
            end = min(self.steps, start + at_once)
            some = step.gather(data, self.order[start * size : end * size])
            for i in range(start, end):  # in few words, for they are between any two updates
                if at_once == 1:
                    x, y = some
                else:
                    x, y = self.cut(some, (i - start) * size)
                self.done = i + 1
                yield step.update(x, y), self.masses[i]

    def cut(self, some: Any, start: int) -> Any:
        """A batch of several that were gathered together."""
        rows = slice(start, start + self.batch_size)
        return [mapped(itemgetter(rows), part) for part in some]

    def state(self) -> dict[str, Any]:
        return dict(self.drawn_from)

    def load(self, state: dict[str, Any]) -> None:
        self.generator.bit_generator.state = state
