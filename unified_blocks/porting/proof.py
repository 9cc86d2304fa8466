"""The proof of a port: how far each of its layers is from what the original computes."""

from __future__ import annotations

from dataclasses import dataclass

from unified_blocks.errors import NotEquivalentError
from unified_blocks.types import Shape

MOST_SHOWN = 12


@dataclass(frozen=True)
class Judged:
    """What a judge says of a value.

    Attributes:
        judge: its title.
        error: the largest difference, relative to the largest number of the value.
        tolerance: what is allowed of it.
    """

    judge: str
    error: float
    tolerance: float

    @property
    def share(self) -> float:
        return self.error / self.tolerance


@dataclass(frozen=True)
class ProofRow:
    """A layer, a block, an output or a gradient.

    Attributes:
        layer: its dotted name.
        operation: what it does, or the class of the block.
        shape: of what it gives, channels first.
        judged: what each judge says, the strongest first.
        is_output: whether it is an output of the whole network.
    """

    layer: str
    operation: str
    shape: Shape
    judged: tuple[Judged, ...]
    is_output: bool = False

    @property
    def worst(self) -> Judged:
        return max(self.judged, key=lambda each: each.share)

    @property
    def error(self) -> float:
        """The largest difference from a judge, as a share of the largest number."""
        return self.worst.error

    @property
    def tolerance(self) -> float:
        """What was allowed there."""
        return self.worst.tolerance

    @property
    def ok(self) -> bool:
        return self.worst.share <= 1


@dataclass(frozen=True)
class Proof:
    """How far a port is from what the original computes, in float64.

    Attributes:
        title: what was proved, in words.
        rows: of each layer and block, in order; then of the outputs and, where they were asked for,
            of the gradients.
        judges: the titles of what it was compared with, the strongest first.
        notes: what is to be known of it: what could not be run, what was not compared.
        versions: of the frameworks that ran the port, by their titles.
    """

    title: str
    rows: tuple[ProofRow, ...]
    judges: tuple[str, ...]
    notes: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether something was compared, and all of it is within tolerance."""
        return bool(self.rows) and all(row.ok for row in self.rows)

    @property
    def error(self) -> float:
        """The largest error of all."""
        return max((row.error for row in self.rows), default=0.0)

    @property
    def first_wrong(self) -> ProofRow | None:
        """The first layer that is out of tolerance: where to look."""
        return next((row for row in self.rows if not row.ok), None)

    @property
    def summary(self) -> str:
        """The answer in a line."""
        if not self.rows:
            return f"{self.title}: nothing was compared"
        by = " and ".join(self.judges)
        wrong = self.first_wrong
        if wrong is None:
            return (
                f"{self.title}: equal to {by} in {len(self.rows)} places, within {self.error:.1e}"
            )
        return (
            f"{self.title}: not equal to {wrong.worst.judge}, first in {wrong.layer} "
            f"({wrong.operation}): {wrong.error:.1e}, where {wrong.tolerance:.0e} is allowed"
        )

    def raise_if_wrong(self) -> None:
        """Raise if a layer is out of tolerance, or nothing was compared.

        Raises:
            NotEquivalentError: (an `AssertionError`) says which layer is the first.
        """
        if not self.ok:
            raise NotEquivalentError(str(self))

    def __str__(self) -> str:
        wrong = [row for row in self.rows if not row.ok]
        shown = wrong[:MOST_SHOWN] or [row for row in self.rows if row.is_output]
        width = max((len(row.layer) for row in shown), default=0)
        table = [
            f"  {row.layer:<{width}}  {row.operation:<20}  {row.error:.1e} of {row.tolerance:.0e}  "
            f"{row.shape}"
            for row in shown
        ]
        return "\n".join([self.summary, *table, *(f"  {note}" for note in self.notes)])
