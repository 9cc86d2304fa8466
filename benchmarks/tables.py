"""Cells as tables, and how many met their targets."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.cells import Cell

PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))


def number(value: float, unit: str) -> str:
    """`value` in its unit, with three digits that count."""
    if unit == "ratio":
        return f"{value:.3f}"
    if unit == "s":
        size, prefix = next((p for p in PREFIXES if value >= p[0]), PREFIXES[-1])
        return f"{value / size:.3g} {prefix}s"
    if unit == "bytes":
        return f"{value / 1e6:.3g} MB" if value >= 1e6 else f"{value / 1e3:.3g} kB"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}"


def text(cell: Cell) -> str:
    """The number, its interval, and whether it met its target."""
    found = number(cell.value, cell.unit)
    if cell.low is not None and cell.high is not None:
        found += f" [{number(cell.low, cell.unit)}, {number(cell.high, cell.unit)}]"
    if cell.target is not None:
        found += f" {'met' if cell.met else 'not met'}"
    return found


def table(title: str, cells: list[Cell]) -> Table:
    """A row for each thing that was measured and its setting, a column for each measure."""
    settings = list(dict.fromkeys(name for cell in cells for name in cell.setting))
    measures = list(dict.fromkeys(cell.measure for cell in cells))
    rows: dict[tuple[str, ...], dict[str, Cell]] = {}
    for cell in cells:
        row = (cell.what, *(str(cell.setting.get(name, "")) for name in settings))
        rows.setdefault(row, {})[cell.measure] = cell
    targets = any(cell.target is not None for cell in cells)
    medians = any(cell.pairs is not None for cell in cells)
    made = Table(title=title, box=box.MARKDOWN, title_justify="left")
    for name in ("", *settings, *measures, *["target"] * targets, *["pairs"] * medians):
        made.add_column(name, no_wrap=True)
    for row, found in rows.items():
        allowed = {f"≤ {cell.target:g}" for cell in found.values() if cell.target is not None}
        pairs = {str(cell.pairs) for cell in found.values() if cell.pairs is not None}
        made.add_row(
            *row,
            *(text(found[name]) if name in found else "" for name in measures),
            *[" ".join(sorted(allowed))] * targets,
            *[" ".join(sorted(pairs))] * medians,
        )
    return made


def show(console: Console, title: str, cells: list[Cell]) -> None:
    console.print(table(title, cells))
    console.print()


def verdicts(cells: Iterable[Cell]) -> list[str]:
    """For each part with targets, how many were met, and which were not."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.target is not None:
            found.setdefault(cell.part, []).append(cell)
    lines = []
    for part, judged in found.items():
        missed = [cell for cell in judged if not cell.met]
        lines.append(f"{part}: {len(judged) - len(missed)} of {len(judged)} targets met")
        for cell in missed:
            setting = ", ".join(f"{name} {value}" for name, value in cell.setting.items())
            lines.append(
                f"  not met: {cell.framework} {cell.what} ({setting}): {cell.measure} "
                f"{text(cell)} ≤ {cell.target:g}"
            )
    return lines
