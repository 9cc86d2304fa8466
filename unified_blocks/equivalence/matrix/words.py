"""Cells of a matrix in words."""

from __future__ import annotations

from collections.abc import Sequence

from unified_blocks.equivalence.matrix.cells import Cell
from unified_blocks.report.words import count, number


def described(cell: Cell) -> str:
    """What a cell says, in words."""
    if cell.status == "unsupported":
        return f"left out: {cell.reason}"
    if cell.status == "error":
        return f"failed: {cell.reason}"
    first = "first in" if cell.status == "differs" else "the most in"
    worst = f"{number(cell.share)} {'of' if cell.share <= 1 else 'times'} what is allowed"
    return f"{worst}, {first} {cell.where}, compared with {cell.against}"


def verdict(cells: Sequence[Cell]) -> tuple[bool, str, str]:
    """Whether all is well, the answer in a few words, and the counts behind it."""
    counts = {
        status: sum(cell.status == status for cell in cells)
        for status in ("ok", "differs", "unsupported", "error")
    }
    left_out = (
        f" {count(counts['unsupported'], 'combination')} could not be compared: the reasons "
        "are below the matrix."
        if counts["unsupported"]
        else ""
    )
    if counts["differs"] or counts["error"]:
        parts = [
            f"{count(counts[status], 'cell')} {words}"
            for status, words in (("differs", "out of tolerance"), ("error", "in error"))
            if counts[status]
        ]
        return (
            False,
            "Not the same" if counts["differs"] else "Not known: something failed",
            f"{' and '.join(parts)}, of {count(len(cells), 'cell')}.{left_out}",
        )
    if not counts["ok"]:
        return False, "Nothing was compared", left_out.strip()
    within = f"All {count(counts['ok'], 'comparison')} are within tolerance."
    return True, "The same", within + left_out


def reasons(cells: Sequence[Cell]) -> list[str]:
    """Why cells were skipped, each reason once."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.status == "unsupported":
            found.setdefault(cell.reason, []).append(cell)
    lines = []
    for reason, left_out in found.items():
        fields = [
            [c.case for c in left_out],
            [c.mode for c in left_out],
            [c.backend for c in left_out],
        ]
        cases, modes, backends = (", ".join(dict.fromkeys(names)) for names in fields)
        lines.append(f"{cases}: {modes} on {backends}: {reason}")
    return lines
