"""What the demo found, as numbers and as tables."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text

from unified_blocks.demo.digits import CURVE_TOLERANCES, Training, largest_difference
from unified_blocks.doctor import Diagnosis, system
from unified_blocks.equivalence.matrix import Cell
from unified_blocks.terminal import printable

REASON = 300
"""The most characters of an error that are printed."""


@dataclass
class Report:
    """Everything that the demo measured."""

    backends: list[Diagnosis]
    cells: list[Cell] = field(default_factory=list)
    trainings: list[Training] = field(default_factory=list)

    def differences(self) -> dict[str, float]:
        """By dtype, the largest relative difference between two backends' losses."""
        dtypes = dict.fromkeys(training.dtype for training in self.trainings)
        return {dtype: largest_difference(self.trained(dtype)) for dtype in dtypes}

    def trained(self, dtype: str) -> list[Training]:
        return [training for training in self.trainings if training.dtype == dtype]

    def problems(self) -> list[str]:
        """What is out of tolerance, in words."""
        found = [problem_of(cell) for cell in self.cells if not cell.ok]
        found += [
            f"{t.backend} in {t.dtype}: test accuracy is {t.accuracy:.1%}"
            for t in self.trainings
            if not t.ok
        ]
        found += [
            f"training in {dtype}: the losses of two backends are {difference:.1e} apart"
            for dtype, difference in self.differences().items()
            if not difference <= CURVE_TOLERANCES[dtype]
        ]
        return found

    def as_json(self) -> Any:
        """All figures, ready for `json.dump`; what is not finite is null."""
        figures = {
            "system": system(),
            "backends": [asdict(diagnosis) for diagnosis in self.backends],
            "matrix": [cell_as_json(cell) for cell in self.cells],
            "training": [{**asdict(training), "ok": training.ok} for training in self.trainings],
            "largest_loss_difference": self.differences(),
            "problems": self.problems(),
        }
        return finite(figures)


def cell_as_json(cell: Cell) -> dict[str, Any]:
    """All of a cell but what was compared in it."""
    return {**{k: v for k, v in vars(cell).items() if k != "rows"}, "ok": cell.ok}


def finite(value: Any) -> Any:
    """`value` with None for every number in it that JSON cannot write."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def backends_table(diagnoses: Iterable[Diagnosis]) -> Table:
    """A line per backend: framework, version and devices, or what is wrong and its remedy."""
    table = Table("backend", "framework", "version", "devices", title="Backends")
    for d in diagnoses:
        if d.ok:
            table.add_row(d.name, d.title, d.version, ", ".join(d.devices))
        else:
            table.add_row(d.name, Text(d.problem, "red"), "", Text(d.remedy))
    return table


def matrix_table(cells: Iterable[Cell], dtype: str) -> Table:
    """The worst absolute deviation of each block on each backend, coloured by tolerance."""
    chosen = [cell for cell in cells if cell.dtype == dtype]
    modes = list(dict.fromkeys(cell.mode for cell in chosen))
    title = f"Equivalence in {dtype}: worst deviation"
    table = Table("block", "backend", *modes, title=title)
    rows: dict[tuple[str, str], dict[str, Cell]] = {}
    for cell in chosen:
        rows.setdefault((cell.case, cell.backend), {})[cell.mode] = cell
    last = ""
    for (case, backend), by_mode in rows.items():
        if last and case != last:
            table.add_section()
        name = Text(printable(case) if case != last else "")
        table.add_row(name, Text(printable(backend)), *(_cell(by_mode[mode]) for mode in modes))
        last = case
    return table


def _cell(cell: Cell) -> Text:
    return {
        "ok": Text(f"{cell.absolute:.1e}", "green"),
        "differs": Text(f"{cell.absolute:.1e} DIFFERS", "bold red"),
        "unsupported": Text("-", "dim"),
        "error": Text("ERROR", "bold red"),
    }[cell.status]


def problem_of(cell: Cell) -> str:
    """What is wrong with a cell that is not ok, in words."""
    about = f"{cell.case} on {cell.backend} in {cell.dtype}: {cell.mode}"
    if cell.status == "error":
        reason = " ".join(cell.reason.split())
        return f"{about} failed: {reason[:REASON]}"
    return f"{about} is {cell.absolute:.1e} from {cell.against}, first in {cell.where}"


def training_table(trainings: list[Training], dtype: str) -> Table:
    """The loss of each epoch side by side, and the test accuracy."""
    title = f"MLP(256, 10) on 1,437 handwritten digits in {dtype}: loss of each epoch"
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
