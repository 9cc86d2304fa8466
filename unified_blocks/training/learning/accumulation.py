"""One update of several batches: how a batch is cut, and what each part counts."""

from __future__ import annotations

from unified_blocks.training.data.batches import Batch, mapped, tensors_in


def parts(batch: Batch, count: int) -> list[Batch]:
    """The batch in so many parts, one after the other, which are equal but for the last.

    There are fewer of them when there are fewer samples.
    """
    samples = len(next(tensors_in(batch)))
    size = -(-samples // count)
    return [
        tuple(mapped(lambda a, i=i: a[i : i + size], each) for each in batch)  # type: ignore[misc]
        for i in range(0, samples, size)
    ]


def lengths(batches: list[Batch]) -> list[int]:
    """How many samples each of some batches has."""
    return [len(next(tensors_in(batch))) for batch in batches]
