"""Shares of a batch: which of its samples each worker has, and what each share counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from unified_blocks.backend import Batch, Loss, Optimizer, StepOptions
from unified_blocks.backend.tensors import to_numpy
from unified_blocks.errors import UnsupportedError
from unified_blocks.training.data.batches import mass, tensors_in
from unified_blocks.types import Array


def shares(rows: Array, size: int) -> list[Array]:
    """The rows of a batch, dealt to `size` workers in order, as evenly as it goes.

    The first ones have one more where it does not come out even; with fewer rows than workers the
    last ones have none.
    """
    return np.array_split(rows, size)


def cut(rows: Array, size: int, weights: Array | None = None) -> tuple[list[Array], list[float]]:
    """The share of each worker, never empty, and its mass.

    A worker without a row computes the batch's first one, which counts nothing there.

    Args:
        rows: of one batch.
        size: how many shares there are.
        weights: of all samples, by row; None when each counts 1.
    """
    dealt = shares(rows, size)
    masses = [float(len(each) if weights is None else weights[each].sum()) for each in dealt]
    return [each if len(each) else rows[:1] for each in dealt], masses


class Sharing:
    """A training step that takes its share of each batch, and gives the loss of the whole one.

    To be mixed into a framework's own `TrainingStep`, before it, with `options.group`. What each
    worker computes from its share is multiplied by `m_s / M · k`, of the masses of the share and
    of the batch, so that the engine's sum (`k` is 1) or mean (`k` is the number of shares) of all
    gradients is the gradient of the whole batch. The loss `"sum"`, and it alone, is no mean: each
    share then counts as it is.

    `gather` and `epoch` deal out a batch that all workers have; `update` without `gather` takes
    the batch of this worker, another one than the others', and asks for their masses.

    Attributes:
        takes_means: whether the engine gives the mean of the gradients, not their sum.
        part: `m_s / M · k` of the update that is computed.
        part_of_loss: the same; of the loss `"sum"` `k`, and 0 of a share without samples.
        inner: what each of several batches counts in the share.
    """

    takes_means: ClassVar[bool] = False
    part: Any = 1.0
    part_of_loss: Any = 1.0
    inner: Sequence[Any] = ()
    mass: float | None
    group: Any

    def __init__(self, net: Any, optimizer: Optimizer, loss: Loss, options: StepOptions) -> None:
        if options.group is None:
            raise ValueError("a step that shares must have a group; got StepOptions without one")
        self.group = options.group
        self.k = self.group.size if self.takes_means else 1
        self.adds_up = loss == "sum"
        if self.adds_up and options.accumulate > 1:
            raise UnsupportedError(
                "Trainer: a loss must be a mean over the batch where workers share it and batches "
                f"are accumulated; got loss='sum' with accumulate={options.accumulate}: give 'mean'"
            )
        self.dealt: dict[int, tuple[Any, float, float]] = {}
        self.weights: tuple[Any, Array | None] = (None, None)
        watched = tuple(map(self.in_part, options.watched))
        super().__init__(net, optimizer, loss, replace(options, watched=watched))  # type: ignore[call-arg]

    # what a share counts

    def in_part(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """What is watched, of which each share gives its part."""
        return lambda output, y, w: self.times(function(output, y, w), self.part)

    def loss_of(self, output: Any, y: Any, w: Any) -> Any:
        """The part of the loss that this share gives."""
        return self.times(super().loss_of(output, y, w), self.part_of_loss)  # type: ignore[misc]

    def times(self, value: Any, part: Any) -> Any:
        """Part of a scalar tensor."""
        return value * part

    def take(self, masses: Sequence[float], total: float) -> None:
        """Compute batches of these masses from now on, in an update of that mass in all."""
        own = sum(masses)
        self.part = own / total * self.k if total else 0.0
        self.part_of_loss = float(self.k * (own > 0)) if self.adds_up else self.part
        self.inner = [each / own if own else 0.0 for each in masses]

    def shares(self, batches: Sequence[Batch]) -> Sequence[Any]:
        """What each batch of an update counts in it, here."""
        return self.inner

    # updates

    def gather(self, data: Batch, rows: Array) -> Any:
        """This worker's share of some rows."""
        w = data[2]
        if self.weights[0] is not w:
            self.weights = (w, None if w is None else np.asarray(to_numpy(w), "float64"))
        rows = np.asarray(rows)
        dealt, masses = cut(rows, self.group.size, self.weights[1])
        mine = [i for i in self.group.mine if len(rows) > i] or [self.group.mine.start]
        batch = super().gather(data, np.concatenate([dealt[i] for i in mine]))  # type: ignore[misc]
        first = next(tensors_in(batch[0]))
        self.dealt[id(first)] = first, sum(masses[i] for i in mine), sum(masses)
        return batch

    def pieces(self, batch: Batch, own: float) -> tuple[list[Any], list[float]]:
        """A batch of mass `own`, cut for the devices of this process, and the mass of each part."""
        if len(self.group.mine) == 1:
            return [batch], [own]
        w = batch[2]
        rows = np.arange(len(next(tensors_in(batch[0]))))
        weights = None if w is None else np.asarray(to_numpy(w), "float64")
        dealt, masses = cut(rows, len(self.group.mine), weights)
        if own == 0:  # a row that counts nothing here
            masses = [0.0] * len(masses)
        return [super(Sharing, self).gather(batch, rows) for rows in dealt], masses  # type: ignore[misc]

    def hooked(self, x: Any, y: Any, w: Any = None, rate: float | None = None) -> Any:
        """An update of the batch that all workers have together."""
        return self.accumulated([(x, y, w)], rate)

    def accumulated(self, batches: Sequence[Batch], rate: float | None = None) -> Any:
        """An update of all that the workers have; it gives the loss of all."""
        with self.group.guarding():
            return self.over_all(self.own(batches, rate))

    def own(self, batches: Sequence[Batch], rate: float | None) -> Any:
        """An update; this worker's part of what it gives."""
        found = [self.dealt.get(id(next(tensors_in(x)))) for x, *_ in batches]
        self.dealt.clear()
        if any(each is None for each in found):  # on all workers, or on none
            masses = [float(mass(batch)) for batch in batches]
            total = self.mass = self.told(sum(masses))
        else:
            masses = [own for _, own, _ in found]  # type: ignore[misc]
            total = sum(whole for *_, whole in found)  # type: ignore[misc]
        return self.computed(batches, masses, total, rate)

    def told(self, mass: float, ended: bool = False) -> float:
        """The masses of all workers, each of which tells its own, or that it has no more batches.

        Raises:
            ValueError: when some have more batches than others.
        """
        total, gone = self.group.sum(np.array([mass, ended])).tolist()
        if gone not in (0, self.group.processes):
            raise ValueError(
                "fit: each worker must have as many batches as the others; got no more on "
                f"{gone:g} of {self.group.processes}, and {'no' if ended else 'one'} more on "
                f"worker {self.group.rank}: let each loader give as many, or give arrays"
            )
        return float(total)

    def ended(self) -> None:
        """See `TrainingStep`."""
        with self.group.guarding():
            self.told(0.0, ended=True)

    def computed(
        self, batches: Sequence[Batch], masses: Sequence[float], total: float, rate: float | None
    ) -> Any:
        """An update of batches of these masses, in an update of that mass in all."""
        self.take(masses, total)
        return super().accumulated(batches, rate)  # type: ignore[misc]

    def over_all(self, value: Any) -> Any:
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
        """See `TrainingStep`. Each batch is dealt out.

        One sum at the end is all that goes over the wire besides the gradients.
        """
        step: Any = self
        step.check_given(w, rates)
        if not len(order):
            return np.zeros(0)
        size, values = batch_size * step.options.accumulate, []
        with self.group.guarding(), step.running():
            for i in range(0, len(order), size):
                some = order[i : i + size]
                pieces = [some[j : j + batch_size] for j in range(0, len(some), batch_size)]
                batches = [self.gather((x, y, w), rows) for rows in pieces]
                values.append(self.own(batches, None if rates is None else float(rates[i // size])))
            found: Array = self.group.sum(step.fetched(values)) / self.k
            return found
