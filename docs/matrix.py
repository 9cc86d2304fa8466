"""Draw the equivalence matrix: every block, mode and precision on each framework, as SVG.

    python docs/matrix.py                      runs each framework that is installed
    python docs/matrix.py *.rec.safetensors    draws what `unified-blocks record` wrote

It writes `docs/matrix.svg`, the picture of the README, or the file that `-o` names. It exits with 1
when a cell is out of tolerance or in error; the picture shows which.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from unified_blocks.equivalence.matrix.cells import Cell, by_distinct_name, cells
from unified_blocks.equivalence.matrix.records import Record, read_record

DOCS = Path(__file__).parent
TITLES = {"torch": "PyTorch", "tensorflow": "TensorFlow", "mxnet": "MXNet"}
SIDE, WIDE, HIGH, GAP, TOP, BLOCK = 118, 47, 22, 16, 62, 34
MARKS = {"unsupported": "–", "error": "!"}
STYLE = """<style>
svg { --ink: #1f2328; --faint: #59636e; --ok: #2da44e; --off: #cf222e }
@media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --faint: #9198a1; --off: #f85149 } }
text { fill: var(--ink); font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial }
.small { font-size: 10.5px } .faint { fill: var(--faint) } .head { font-weight: 600 }
.mid { text-anchor: middle } .end { text-anchor: end }
.ok { fill: var(--ok); fill-opacity: 0.22 } .off { fill: var(--off); fill-opacity: 0.4 }
.none { fill: none; stroke: var(--faint); stroke-opacity: 0.5 }
</style>"""


def text(x: float, y: float, words: str, kind: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(words, quote=False)}</text>'


def shown(cell: Cell) -> str:
    """What is written in a cell: the worst difference, in a few characters."""
    if cell.status in MARKS:
        return MARKS[cell.status]
    return (
        f"{cell.absolute:.0e}".replace("e-0", "e-").replace("e+0", "e+") if cell.absolute else "0"
    )


def picture(found: Sequence[Cell], titles: dict[str, str]) -> str:
    """The SVG of a matrix.

    Args:
        titles: of each backend, what stands over its cells.
    """
    dtypes = list(dict.fromkeys(cell.dtype for cell in found))
    cases = list(dict.fromkeys(cell.case for cell in found))
    modes = list(dict.fromkeys(cell.mode for cell in found))
    backends = list(dict.fromkeys(cell.backend for cell in found))
    panel = WIDE * len(modes) + GAP
    width = SIDE + panel * len(backends)
    high = BLOCK + HIGH * len(cases)
    notes = ["In a cell: the largest difference from what is expected, or from another framework."]
    notes += dict.fromkeys(f"–: {cell.reason}." for cell in found if cell.status == "unsupported")
    height = TOP + high * len(dtypes) + 18 + 16 * len(notes)
    words = summary(found)

    def parts() -> Iterator[str]:
        for i, backend in enumerate(backends):
            left = SIDE + panel * i
            yield text(left, 20, titles[backend], "head")
            for j, mode in enumerate(modes):
                yield text(left + WIDE * (j + 0.5) - 1, TOP - 18, mode, "small faint mid")
        for k, dtype in enumerate(dtypes):
            top = TOP + high * k
            yield text(0, top + 2, dtype, "head")
            for row, case in enumerate(cases):
                yield text(SIDE - 10, top + 10 + HIGH * row + 15, case, "small end")
        for cell in found:
            x = SIDE + panel * backends.index(cell.backend) + WIDE * modes.index(cell.mode)
            y = TOP + high * dtypes.index(cell.dtype) + 10 + HIGH * cases.index(cell.case)
            kind = {"ok": "ok", "unsupported": "none"}.get(cell.status, "off")
            yield f'<rect x="{x}" y="{y}" width="{WIDE - 2}" height="{HIGH - 2}" class="{kind}"/>'
            yield text(x + WIDE / 2 - 1, y + 14, shown(cell), "small mid")
        for line, note in enumerate(notes):
            y = TOP + high * len(dtypes) + 16 * (line + 1)
            yield text(width - GAP - 2, y, note, "small faint end")
        yield text(0, TOP + high * len(dtypes) + 16, words, "head")

    described = (
        f"{words} Rows: {', '.join(cases)}, in {' and '.join(dtypes)}. Columns: "
        f"{', '.join(modes)}, on {', '.join(titles[name] for name in backends)}."
    )
    drawn = "\n".join(parts())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-labelledby="title description">\n'
        f'<title id="title">The equivalence matrix</title>\n'
        f'<desc id="description">{escape(described, quote=False)}</desc>\n'
        f"{STYLE}\n{drawn}\n</svg>\n"
    )


def summary(found: Sequence[Cell]) -> str:
    good = sum(cell.status == "ok" for cell in found)
    bad = sum(not cell.ok for cell in found)
    return f"{bad} of {good + bad} wrong." if bad else f"All {good} cells within tolerance."


def title_of(record: Record) -> str:
    version = f"{TITLES.get(record.backend, record.backend)} {record.framework}"
    return version if record.device == "cpu" else f"{version} on {record.device}"


def recorded_here() -> list[Record]:
    """What each framework gives that is installed, each in a process of its own."""
    from unified_blocks.cli.lab import installed, record_all, task_of

    return record_all(task_of(None, None, None, None, None), installed(None))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("records", nargs="*", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=DOCS / "matrix.svg")
    options = parser.parse_args()
    records = [read_record(path) for path in options.records] or recorded_here()
    found = cells(records)
    titles = {name: title_of(record) for name, record in by_distinct_name(records).items()}
    options.output.write_text(picture(found, titles), encoding="utf-8")
    print(f"{options.output}: {summary(found)}")
    sys.exit(not all(cell.ok for cell in found))


if __name__ == "__main__":
    main()
