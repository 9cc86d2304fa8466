"""The page of an equivalence matrix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from unified_blocks.equivalence.matrix.cells import Cell, by_distinct_name
from unified_blocks.equivalence.matrix.heat_map import heat_map
from unified_blocks.equivalence.matrix.records import TEXTS, Key, Record
from unified_blocks.equivalence.matrix.words import described, reasons, verdict
from unified_blocks.report.figures import Figure, curves, histogram
from unified_blocks.report.page import page
from unified_blocks.types import Array

PROBLEMS = 5
"""The most problems that the verdict lists; the table has them all."""


def matrix_page(cells: Sequence[Cell], records: Sequence[Record] = (), command: str = "") -> str:
    """The page of an equivalence matrix.

    Args:
        cells: as `unified_blocks.equivalence.matrix.cells.cells` gives them.
        records: what they were made from; without records there are no curves and histograms.
        command: the command that makes the same page.

    Returns:
        HTML. Nothing in it needs a network.
    """
    rows = list(dict.fromkeys((cell.case, cell.dtype) for cell in cells))
    modes = list(dict.fromkeys(cell.mode for cell in cells))
    named = [(f"cell-{i}", cell) for i, cell in enumerate(cells)]
    drawn: dict[str, Figure] = {}
    maps = {}
    for i, backend in enumerate(dict.fromkeys(cell.backend for cell in cells)):
        maps[backend] = f"map-{i}"
        own = [(name, cell) for name, cell in named if cell.backend == backend]
        drawn[maps[backend]] = heat_map(rows, modes, own)
    by_name = by_distinct_name(records) if records else {}
    ok, answer, extent = verdict(cells)
    return page(
        "matrix.html",
        drawn,
        ok=ok,
        answer=answer,
        extent=extent,
        maps=maps,
        reasons=reasons(cells),
        cells=named,
        problems=[(name, cell) for name, cell in named if not cell.ok],
        by_place={(c.case, c.dtype, c.backend, c.mode): (name, c) for name, c in named},
        rows=rows,
        modes=modes,
        studies=_studies(by_name, rows, drawn),
        records=by_name,
        command=command,
        described=described,
        fields=TEXTS,
        most=PROBLEMS,
    )


def _studies(
    records: dict[str, Record], rows: Iterable[tuple[str, str]], drawn: dict[str, Figure]
) -> list[dict[str, Any]]:
    """For each case and dtype, its training curves and the distributions of its numbers."""
    found = []
    for i, (case, dtype) in enumerate(rows):
        losses = _losses(records, (case, dtype, "training"))
        if losses:
            drawn[f"curves-{i}"] = curves(losses)
        histograms = {}
        for j, (label, arrays) in enumerate(_arrays(records, case, dtype)):
            figure = histogram(label, arrays)
            if figure is not None:
                histograms[f"histogram-{i}-{j}"] = label
                drawn[f"histogram-{i}-{j}"] = figure
        if losses or histograms:
            study = {"case": case, "dtype": dtype, "losses": losses, "histograms": histograms}
            found.append({**study, "curves": f"curves-{i}"})
    return found


def _losses(records: dict[str, Record], key: Key) -> dict[str, Array]:
    """The training curve of each backend, and the expected one."""
    found: dict[str, Array] = {}
    for name, record in records.items():
        entry = record.entries.get(key)
        if entry is not None and "loss" in entry.arrays:
            if "loss" in entry.expected:
                found.setdefault("expected", entry.expected["loss"].ravel())
            found[name] = entry.arrays["loss"].ravel()
    return found


def _arrays(
    records: dict[str, Record], case: str, dtype: str
) -> Iterable[tuple[str, dict[str, Array]]]:
    """Each parameter after training, and each gradient, by backend."""
    for mode, prefix, words in (
        ("training", "state/", "{} after training"),
        ("gradient", "gradient/", "gradient of {}"),
    ):
        by_name: dict[str, dict[str, Array]] = {}
        for backend, record in records.items():
            entry = record.entries.get((case, dtype, mode))
            for name, array in entry.arrays.items() if entry is not None else ():
                if name.startswith(prefix):
                    by_name.setdefault(name.removeprefix(prefix), {})[backend] = array
        for name, arrays in by_name.items():
            yield words.format(name), arrays
