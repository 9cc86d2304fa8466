"""The tables that commands print, and their cells as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from unified_blocks.cli.diagnosis import Diagnosis
from unified_blocks.cli.terminal import printable
from unified_blocks.equivalence.matrix.cells import Cell

REASON = 300
"""The most characters of an error that are printed."""


def cell_as_json(cell: Cell) -> dict[str, Any]:
    """The fields of a cell except the rows that were compared."""
    return {**{k: v for k, v in vars(cell).items() if k != "rows"}, "ok": cell.ok}


def nullified(value: Any) -> Any:
    """`value` with None for every number in it that JSON cannot write."""
    if isinstance(value, dict):
        return {key: nullified(item) for key, item in value.items()}
    if isinstance(value, list):
        return [nullified(item) for item in value]
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
    """The problem of a cell that is not ok, in words."""
    about = f"{cell.case} on {cell.backend} in {cell.dtype}: {cell.mode}"
    if cell.status == "error":
        reason = " ".join(cell.reason.split())
        return f"{about} failed: {reason[:REASON]}"
    return f"{about} is {cell.absolute:.1e} from {cell.against}, first in {cell.where}"
