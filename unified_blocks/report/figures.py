"""The figures of a report, for Plotly: data without colours, which the page chooses."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unified_blocks.reference.rows import Row
from unified_blocks.report.words import number
from unified_blocks.types import Array

Figure = dict[str, Any]

DECADES = 4
"""The scale covers this many powers of ten below and above what is allowed."""

SYMBOLS = {"ok": "", "differs": "×", "unsupported": "–", "error": "!"}
BINS = 20
LARGEST = 1e300
"""Larger numbers are not drawn: the width of a bin would overflow."""


def decades(share: float) -> float:
    """The logarithm of a share, limited to the scale."""
    if share <= 0:
        return -DECADES
    if not share < math.inf:
        return DECADES
    return max(-DECADES, min(DECADES, round(math.log10(share), 3)))


def curves(losses: Mapping[str, Array]) -> Figure:
    """The loss of each step, a line for each backend, thinner than the line below it."""
    lines = []
    for i, (name, loss) in enumerate(losses.items()):
        lines.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": text(name),
                "meta": name,
                "x": list(range(1, loss.size + 1)),
                "y": drawable(loss),
                "line": line(i, len(losses)),
                "marker": {"size": 6 + 4 * (len(losses) - 1 - i), "symbol": i},
            }
        )
    return _chart(lines, "step", "loss")


def histogram(label: str, arrays: Mapping[str, Array]) -> Figure | None:
    """Histograms of the finite numbers of an array, one for each backend; None without any."""
    wide = {name: np.asarray(array, np.float64).ravel() for name, array in arrays.items()}
    numbers = {name: array[np.abs(array) < LARGEST] for name, array in wide.items()}
    held = [array for array in numbers.values() if array.size]
    if not held:
        return None
    low, high = (float(f([f(array) for array in held])) for f in (np.min, np.max))
    if not low < high:
        low, high = low - abs(low) / 2 - 0.5, high + abs(high) / 2 + 0.5
    lines = []
    for i, (name, array) in enumerate(numbers.items()):
        lines.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": text(name),
                "meta": name,
                "x0": low,
                "dx": (high - low) / BINS,
                "y": [*np.histogram(array, BINS, (low, high))[0].tolist(), 0],
                "line": {**line(i, len(numbers)), "shape": "hv"},
            }
        )
    return _chart(lines, text(label), "how many")


def shares(rows: Sequence[Row], ids: Sequence[str]) -> Figure:
    """The share of the tolerance that each row of a comparison takes, in order.

    Args:
        ids: of the element to show when a row is clicked on, for each row.
    """
    found = []
    for name, ok in (("within tolerance", True), ("out of tolerance", False)):
        at = [i for i, row in enumerate(rows) if row.ok == ok]
        found.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": [decades(rows[i].share) for i in at],
                "y": at,
                "text": [f"{text(rows[i].name)}: {number(rows[i].share)} of allowed" for i in at],
                "customdata": [ids[i] for i in at],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {"size": 10, "symbol": "circle" if ok else "x"},
            }
        )
    figure = _chart(found, "share of what is allowed", "")
    ticks = list(range(-DECADES, DECADES + 1, 2))
    figure["layout"] |= {
        "height": 120 + 22 * len(rows),
        "shapes": [{"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper"}],
    }
    figure["layout"]["xaxis"] |= {
        "range": [-DECADES - 0.3, DECADES + 0.3],
        "tickvals": ticks,
        "ticktext": [f"10<sup>{tick}</sup>" if tick else "1" for tick in ticks],
    }
    figure["layout"]["yaxis"] |= {
        "range": [len(rows) - 0.5, -0.5],
        "tickvals": list(range(len(rows))),
        "ticktext": [text(f"{row.what} {shortened(row.name)}") for row in rows],
    }
    return figure


SMALLEST = 1e-18
"""Smaller errors, and none, are drawn as this one."""


def errors(
    found: Mapping[str, Sequence[float | None]],
    allowed: Sequence[float],
    names: Sequence[str],
    ids: Sequence[str],
) -> Figure:
    """Relative errors in order, on a scale of powers of ten, and what is allowed of each.

    Args:
        found: of each judge, the error of each row; None where it knows nothing.
        ids: of the element to show when a row is clicked on, for each row.
    """
    lines = []
    for i, (judge, values) in enumerate(found.items()):
        at = [j for j, value in enumerate(values) if value is not None]
        lines.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": text(judge),
                "x": [j + 1 for j in at],
                "y": [_power(values[j]) for j in at],
                "text": [f"{text(names[j])}: {number(values[j] or 0.0)}" for j in at],
                "customdata": [ids[j] for j in at],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {"size": 6 + 3 * (len(found) - 1 - i), "symbol": i},
            }
        )
    lines.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": "allowed",
            "x": list(range(1, len(allowed) + 1)),
            "y": [_power(value) for value in allowed],
            "line": {"width": 2, "dash": "dash", "shape": "hvh"},
            "hoverinfo": "skip",
        }
    )
    figure = _chart(lines, "layer, in order", "error, as a share of the largest number")
    ticks = list(range(-18, 1, 3))
    figure["layout"]["yaxis"] |= {
        "range": [-18.5, 0.5],
        "tickvals": ticks,
        "ticktext": ["0" if tick == -18 else f"10<sup>{tick}</sup>" for tick in ticks],
    }
    return figure


def _power(value: float | None) -> float:
    """The logarithm of an error, limited to the scale."""
    return round(math.log10(min(max(value or 0.0, SMALLEST), 1.0)), 3)


def _chart(lines: Sequence[Figure], x: str, y: str) -> Figure:
    layout = {"xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}}
    return {"data": list(lines), "layout": {**layout, "showlegend": True}}


def line(i: int, count: int) -> Figure:
    """The style of the i-th of `count` lines, which may coincide: first widest, last dotted."""
    dashes = ("solid", "solid", "dash", "dot", "dashdot")
    return {"width": 2 + 3 * (count - 1 - i), "dash": dashes[min(i, len(dashes) - 1)]}


def text(words: str) -> str:
    """Words as Plotly shows them: it reads some HTML."""
    return html.escape(words, quote=False)


def shortened(name: str) -> str:
    """A name short enough for a phone: its end, which says more than its beginning."""
    return name if len(name) <= 24 else f"…{name[-23:]}"


def drawable(array: Array) -> list[float | None]:
    """The numbers, None for those that JSON cannot write."""
    return [float(x) if np.isfinite(x) else None for x in array.ravel()]
