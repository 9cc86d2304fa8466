"""What the demo found, as numbers and as tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text

from unified_blocks.cli.diagnosis import Diagnosis, system
from unified_blocks.cli.learning import CURVE_TOLERANCES, Training, largest_difference
from unified_blocks.cli.tables import cell_as_json, nullified, problem_of
from unified_blocks.equivalence.matrix.cells import Cell


@dataclass
class Report:
    """Everything that the demo measured."""

    backends: list[Diagnosis]
    cells: list[Cell] = field(default_factory=list)
    trainings: list[Training] = field(default_factory=list)

    def differences(self) -> dict[tuple[str, str], float]:
        """The largest relative difference of two backends' losses, by title and dtype."""
        pairs = dict.fromkeys((training.title, training.dtype) for training in self.trainings)
        return {pair: largest_difference(self.trained(*pair)) for pair in pairs}

    def trained(self, title: str, dtype: str) -> list[Training]:
        return [each for each in self.trainings if (each.title, each.dtype) == (title, dtype)]

    def problems(self) -> list[str]:
        """What is out of tolerance, in words."""
        found = [problem_of(cell) for cell in self.cells if not cell.ok]
        found += [
            f"{t.title}, {t.backend} in {t.dtype}: test accuracy is {t.accuracy:.1%}"
            for t in self.trainings
            if not t.ok
        ]
        found += [
            f"{title} in {dtype}: the losses of two backends are {difference:.1e} apart"
            for (title, dtype), difference in self.differences().items()
            if not difference <= CURVE_TOLERANCES[dtype]
        ]
        return found

    def as_json(self) -> Any:
        """All figures, ready for `json.dump`; what is not finite is null."""
        figures = {
            "system": system(),
            "backends": [asdict(diagnosis) for diagnosis in self.backends],
            "matrix": [cell_as_json(cell) for cell in self.cells],
            "training": [asdict(training) for training in self.trainings],
            "largest_loss_difference": [
                {"title": title, "dtype": dtype, "difference": difference}
                for (title, dtype), difference in self.differences().items()
            ],
            "problems": self.problems(),
        }
        return nullified(figures)


def training_table(trainings: list[Training], dtype: str) -> Table:
    """The loss of each epoch side by side, and the test accuracy."""
    title = f"{trainings[0].title} in {dtype}: loss of each epoch"
    several = ["largest difference"] if len(trainings) > 1 else []
    table = Table("epoch", *(t.backend for t in trainings), *several, title=title)
    digits = 12 if dtype == "float64" else 7
    for epoch, losses in enumerate(zip(*(t.losses for t in trainings), strict=True)):
        differences = [f"{max(losses) - min(losses):.1e}" for _ in several]
        table.add_row(str(epoch + 1), *(f"{loss:.{digits}f}" for loss in losses), *differences)
    table.add_section()
    accuracies = [Text(f"{t.accuracy:.2%}", "green" if t.ok else "bold red") for t in trainings]
    table.add_row("test", *accuracies)
    return table
