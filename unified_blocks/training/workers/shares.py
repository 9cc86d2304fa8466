"""Shares of a batch: which of its samples each worker has, and what each share counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from unified_blocks.backend import Batch, Loss, Optimizer, StepOptions
from unified_blocks.backend.tensors import to_numpy
from unified_blocks.training.data.batches import mass
from unified_blocks.types import Array


def shares(rows: Array, size: int) -> list[Array]:
    """The rows of a batch, dealt to `size` workers in order, as evenly as it goes.

    The first ones have one more where it does not come out even; with fewer rows than workers the
    last ones have none.
    """
    return np.array_split(rows, size)


def cut(rows: Array, size: int, weights: Array | None = None) -> tuple[list[Array], Array]:
    """The share of each worker, never empty, and what part of the batch each counts.

    A worker without a row computes the batch's first one, which then counts nothing there.

    Args:
        rows: of one batch.
        size: how many shares there are.
        weights: of all samples, by row; None when each counts alike.

    Returns:
        The rows of each share, and `m_s / M`, `(size,)`: the mass of each share, its samples or
        the sum of their weights, over that of the batch; zeros when M is 0.
    """
    dealt = shares(rows, size)
    masses = np.array([len(each) if weights is None else weights[each].sum() for each in dealt])
    total = masses.sum()
    parts = masses / total if total else np.zeros(size)
    return [each if len(each) else rows[:1] for each in dealt], parts


class Sharing:
    """A training step that takes its share of each batch, and gives the loss of the whole one.

    To be mixed into a framework's own `TrainingStep`, before it, with `options.group`. What each
    worker computes from its share is multiplied by `m_s / M · k`, so that the engine's sum (`k` is
    1) or mean (`k` is the number of workers) of all gradients is the gradient of the whole batch.
    The loss `"sum"`, and it alone, is no mean: each share then counts as it is.

    Attributes:
        takes_means: whether the engine gives the mean of the gradients, not their sum.
        part: `m_s / M · k` of the batch that is computed.
        part_of_loss: the same; of the loss `"sum"` `k`, and 0 of a share without samples.
    """

    takes_means: ClassVar[bool] = False
    part: Any = 1.0
    part_of_loss: Any = 1.0

    def __init__(self, net: Any, optimizer: Optimizer, loss: Loss, options: StepOptions) -> None:
        if options.group is None:
            raise ValueError("a step that shares must have a group; got StepOptions without one")
        self.group = options.group
        self.k = self.group.size if self.takes_means else 1
        self.adds_up = loss == "sum"
        watched = tuple(map(self.in_part, options.watched))
        super().__init__(net, optimizer, loss, replace(options, watched=watched))  # type: ignore[call-arg]

    def in_part(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """What is watched, of which each share gives its part."""
        return lambda output, y, w: self.times(function(output, y, w), self.part)

    def loss_of(self, output: Any, y: Any, w: Any) -> Any:
        """The part of the loss that this share gives."""
        return self.times(super().loss_of(output, y, w), self.part_of_loss)  # type: ignore[misc]

    def times(self, value: Any, part: Any) -> Any:
        """Part of a scalar tensor."""
        return value * part

    def take_part(self, part: float) -> None:
        """Compute `m_s / M` of a batch from now on."""
        self.part = part * self.k
        self.part_of_loss = self.k * bool(part) if self.adds_up else self.part

    def hooked(self, x: Any, y: Any, w: Any = None, rate: float | None = None) -> Any:
        """An update of the batches that all workers have, each its own."""
        self.take_part(self.part_of([(x, y, w)]))
        return self.summed(super().hooked(x, y, w, rate))  # type: ignore[misc]

    def part_of(self, batches: Sequence[Batch]) -> float:
        """What part of an update this worker's batches are. All workers ask at once."""
        own = sum(mass(batch) for batch in batches)
        total = float(self.group.sum(np.array(own, "float64")))
        return own / total if total else 0.0

    def summed(self, value: Any) -> Any:
        """The sum over all workers of what an update gives, divided by `k`: a tensor."""
        raise NotImplementedError

    def epoch(
        self,
        x: Any,
        y: Any,
        order: Array,
        batch_size: int,
        w: Any = None,
        rates: Array | None = None,
    ) -> Array:
        """See `TrainingStep`. Each batch is cut in shares.

        One sum at the end is all that goes over the wire besides the gradients.
        """
        step: Any = self
        step.check_given(w, rates)
        if not len(order):
            return np.zeros(0)
        weights = None if w is None else np.asarray(to_numpy(w), "float64")
        values = []
        with step.running():
            for i in range(0, len(order), batch_size):
                rate = None if rates is None else float(rates[i // batch_size])
                values.append(self.share_of((x, y, w), order[i : i + batch_size], weights, rate))
            return self.group.sum(step.fetched(values)) / self.k

    def share_of(self, data: Batch, rows: Array, weights: Array | None, rate: float | None) -> Any:
        """An update of this worker's share of a batch: its part of what the update gives."""
        dealt, parts = cut(rows, self.group.size, weights)
        mine = self.group.mine.start
        self.take_part(float(parts[mine]))
        x, y, w = self.gather(data, dealt[mine])  # type: ignore[attr-defined]
        return super().hooked(x, y, w, rate)  # type: ignore[misc]
