"""Charts of the measurements, as SVG that is legible on a light and on a dark page."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.cells import Cell
from benchmarks.contests import BY_HAND, KERAS, OURS, THINC
from benchmarks.overhead import OURS as OVERHEAD
from benchmarks.subjects import NATIVE, PORTABLE

TITLES = {"torch": "PyTorch", "tensorflow": "TensorFlow", "mxnet": "MXNet"}
PANELS = {"keras": "torch", "thinc": "torch"}  # what computes on PyTorch is shown beside it
INK, FAINT = "#010203", "#040506"  # placeholders, which the colours of the page replace
BLUE, ORANGE = "#2f81f7", "#e16f24"  # 3 to 1 on white and on GitHub's dark grey
GREEN, PURPLE = "#2da44e", "#a371f7"

STYLE = """<style>
svg { --ink: #1f2328; --faint: #8c959f; }
@media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --faint: #6e7681; } }
</style>"""

NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))

OPTIONS = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "unified-blocks",  # the same numbers give the same file
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": FAINT,
    "grid.linewidth": 0.3,
}


def draw(cells: list[Cell], folder: Path) -> list[Path]:
    """Write each chart for which there are measurements.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    charts: dict[str, Callable[[list[Cell]], tuple[Figure, str, str] | None]] = {
        "overhead.svg": draw_overhead,
        "depth.svg": draw_depth,
    }
    written = []
    with mpl.rc_context(OPTIONS):
        for name, chart in charts.items():
            found = chart(cells)
            if found is not None:
                path = folder / name
                path.write_text(svg(*found), encoding="utf-8")
                written.append(path)
    return written


def svg(figure: Figure, title: str, description: str) -> str:
    """`figure` as SVG, with its title and description for those who do not see it."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata=NO_METADATA)
    text = file.getvalue().replace(INK, "var(--ink)").replace(FAINT, "var(--faint)")
    start = text.index("<svg")
    opened = text.index(">", start)
    return (
        f'{text[start:opened]} role="img" aria-labelledby="title description">\n'
        f'<title id="title">{escape(title)}</title>\n'
        f'<desc id="description">{escape(description)}</desc>\n'
        f"{STYLE}{text[opened + 1 :]}"
    )


def panels(cells: list[Cell], height: float, **options: Any) -> tuple[Figure, dict[str, Any]]:
    """A figure with one panel for each framework that is in `cells`."""
    there = {PANELS.get(cell.framework, cell.framework) for cell in cells}
    names = [name for name in TITLES if name in there]
    figure = Figure(figsize=(1.5 + 2.6 * len(names), height), layout="constrained")
    axes = figure.subplots(1, len(names), squeeze=False, **options)[0]
    for name, axis in zip(names, axes, strict=True):
        axis.set_title(TITLES[name], fontsize=10)
        axis.grid(True)
    return figure, dict(zip(names, axes, strict=True))


def draw_overhead(cells: list[Cell]) -> tuple[Figure, str, str] | None:
    """What each block costs over the one by hand: a dot and its interval, at batch 2."""
    shown = [
        cell
        for cell in cells
        if cell.part == "overhead"
        and cell.measure == OVERHEAD
        and cell.setting["batch"] == 2
        and "depth" not in cell.setting
    ]
    if not shown:
        return None
    blocks = list(dict.fromkeys(cell.what for cell in shown))
    figure, axes = panels(shown, 0.9 + 0.3 * len(blocks), sharey=True)
    for way, colour, shift in (("forward", BLUE, 0.15), ("training step", ORANGE, -0.15)):
        for name, axis in axes.items():
            these = [c for c in shown if c.framework == name and c.setting["pass"] == way]
            axis.errorbar(
                [c.value for c in these],
                [len(blocks) - 1 - blocks.index(c.what) + shift for c in these],
                xerr=(
                    [c.value - (c.low or c.value) for c in these],
                    [(c.high or c.value) - c.value for c in these],
                ),
                fmt="o",
                markersize=4,
                color=colour,
                label=way,
            )
    for axis in axes.values():
        for place, style in ((1.0, "-"), (NATIVE, "--"), (PORTABLE, ":")):
            axis.axvline(place, color=FAINT, linestyle=style, linewidth=1)
        axis.set_xlabel("ours / by hand")
        axis.set_yticks(range(len(blocks)), blocks[::-1])
    figure.legend(
        *next(iter(axes.values())).get_legend_handles_labels(),
        loc="outside lower center",
        ncols=2,
        frameon=False,
    )
    worst = max(shown, key=lambda cell: cell.value)
    description = (
        f"The ratio for {len(blocks)} blocks on {len(axes)} frameworks, forward and in a training "
        f"step, with 95 % intervals; lines at 1, {NATIVE} and {PORTABLE}. The largest is "
        f"{worst.value:.2f}: {worst.what} on {TITLES[worst.framework]}, {worst.setting['pass']}."
    )
    return figure, "What a block costs over the same network written by hand, batch 2", description


def draw_depth(cells: list[Cell]) -> tuple[Figure, str, str] | None:
    """The time of a forward over the number of layers, a line for each who does it."""
    shown = [
        cell
        for cell in cells
        if cell.part == "growth" and cell.what == "depth" and cell.unit == "s"
    ]
    if not shown:
        return None
    figure, axes = panels(shown, 3.0, sharey=True)
    looks = {
        BY_HAND: {"color": INK, "linewidth": 3, "alpha": 0.4},
        OURS: {"color": BLUE, "marker": "o", "markersize": 4},
        KERAS: {"color": ORANGE, "marker": "s", "markersize": 3},
        THINC: {"color": GREEN, "marker": "^", "markersize": 4},
    }
    others = {"color": PURPLE, "linestyle": ":"}
    handles: dict[str, Any] = {}
    for cell_framework, label in dict.fromkeys((c.framework, c.measure) for c in shown):
        if label == BY_HAND and cell_framework in PANELS:
            continue  # PyTorch's own process has that line
        line = [c for c in shown if (c.framework, c.measure) == (cell_framework, label)]
        axis = axes[PANELS.get(cell_framework, cell_framework)]
        sizes = [c.setting["depth"] for c in line]
        (handles[label],) = axis.loglog(sizes, [c.value for c in line], **looks.get(label, others))
    for axis in axes.values():
        axis.minorticks_off()
        axis.set_xlabel("dense layers")
    next(iter(axes.values())).set_ylabel("seconds of a forward, batch 2")
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=5, frameon=False
    )
    growth = [
        f"{cell.value:.2f} on {TITLES[cell.framework]}"
        for cell in cells
        if cell.what == "growth with depth" and cell.measure == f"{OURS} / {BY_HAND}"
    ]
    description = (
        f"Seconds of a forward over the number of dense layers, both on logarithmic scales, on "
        f"{len(axes)} frameworks: {', '.join(handles)}. From the smallest depth to the largest "
        f"the ratio of ours to the one by hand grows by a factor of {', '.join(growth)}."
    )
    return figure, "What a forward costs over the depth of the network", description
