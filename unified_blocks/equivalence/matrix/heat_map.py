"""The picture of a matrix."""

from __future__ import annotations

from collections.abc import Sequence

from unified_blocks.equivalence.matrix.cells import Cell
from unified_blocks.equivalence.matrix.words import described
from unified_blocks.report.figures import DECADES, SYMBOLS, Figure, decades, shortened, text


def heat_map(
    rows: Sequence[tuple[str, str]], modes: Sequence[str], cells: Sequence[tuple[str, Cell]]
) -> Figure:
    """The cells of one backend.

    Args:
        rows: case and dtype of each row.
        modes: of the columns.
        cells: with the id of the element to show when one is clicked on.
    """
    size = (len(rows), len(modes))
    z: list[list[float | None]] = [[None] * size[1] for _ in rows]
    words, targets = ([[empty] * size[1] for _ in rows] for empty in ("not recorded", ""))
    marks = []
    for target, cell in cells:
        i, j = rows.index((cell.case, cell.dtype)), modes.index(cell.mode)
        if cell.status in ("ok", "differs"):
            z[i][j] = decades(cell.share)
        words[i][j] = f"{text(cell.case)} {cell.dtype}, {cell.mode}<br>{text(described(cell))}"
        targets[i][j] = target
        if SYMBOLS[cell.status]:
            marks.append((j, i, SYMBOLS[cell.status]))
    columns = {"tickvals": list(range(size[1])), "ticktext": [text(mode) for mode in modes]}
    lines = {
        "tickvals": list(range(size[0])),
        "ticktext": [text(f"{shortened(case)} {dtype}") for case, dtype in rows],
    }
    return {
        "data": [
            {
                "type": "heatmap",
                "z": z,
                "zmin": -DECADES,
                "zmax": DECADES,
                "text": words,
                "customdata": targets,
                "hovertemplate": "%{text}<extra></extra>",
                "hoverongaps": True,
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
            },
            {
                "type": "scatter",
                "mode": "text",
                "x": [x for x, _, _ in marks],
                "y": [y for _, y, _ in marks],
                "text": [symbol for _, _, symbol in marks],
                "textfont": {"size": 18},
                "hoverinfo": "skip",
                "showlegend": False,
            },
        ],
        "layout": {
            "height": 90 + 26 * size[0],
            "margin": {"r": 30},  # for the slanting name of the last column
            "xaxis": {**columns, "showgrid": False, "side": "top", "tickangle": -40},
            "yaxis": {**lines, "showgrid": False, "range": [size[0] - 0.5, -0.5]},
        },
    }
