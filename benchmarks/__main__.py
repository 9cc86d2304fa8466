"""The command line: see `benchmarks`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from subprocess import CalledProcessError
from time import perf_counter
from typing import Any

from rich.console import Console

from benchmarks.cells import Cell, Effort
from benchmarks.machine import machine
from benchmarks.parts import FRAMEWORKS, PARTS, measure_apart, processes
from benchmarks.tables import show, verdicts

QUICK = 20
"""Pairs of a rough run."""


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="default: all")
    parser.add_argument("--backend", action="append", choices=FRAMEWORKS, help="default: all")
    parser.add_argument(
        "--pairs", type=int, help=f"of each ratio, at least: 200, or {QUICK} with --quick"
    )
    parser.add_argument("--json", type=Path, help="a file for all measurements")
    parser.add_argument("--svg", type=Path, help="a folder for the charts, drawn with Matplotlib")
    parser.add_argument("--quick", action="store_true", help="a rough run")
    return parser.parse_args(given)


def run(options: argparse.Namespace, console: Console) -> int:
    """Measure the selected parts, print the results, and write them to the given files.

    Returns:
        The exit status: 1 when a process failed. A target that is not met is not a failure.
    """
    effort = Effort(options.pairs or (QUICK if options.quick else 200), options.quick)
    found: dict[str, Any] = {"machine": machine(), "pairs": effort.pairs, "quick": effort.quick}
    console.print_json(data=found)
    cells: list[Cell] = []
    found |= {"processes": [], "failed": []}
    for part, framework in processes(options.part, options.backend):
        if missing := FRAMEWORKS[framework].missing:
            console.print(f"{part} on {framework}: skipped, not installed: {', '.join(missing)}\n")
            continue
        start = perf_counter()
        try:
            measured, process = measure_apart(part, framework, effort)
        except CalledProcessError as error:  # it has printed why; the others go on
            console.print(f"{part} on {framework}: failed, with status {error.returncode}\n")
            found["failed"].append({"part": part, "framework": framework})
            continue
        seconds = round(perf_counter() - start, 1)
        title = f"{part} on {framework}: {PARTS[part].about} ({seconds:.0f} s)"
        show(console, title, measured)
        cells += measured
        process |= {"part": part, "framework": framework, "seconds": seconds}
        found["processes"].append(process)
    console.print("\n".join(verdicts(cells)))
    found["cells"] = [cell.as_json() for cell in cells]
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.svg:
        from benchmarks.charts import draw  # Matplotlib is needed for nothing else

        for path in draw(cells, options.svg):
            console.print(f"wrote {path}")
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    # Wide enough for every table: a narrow terminal wraps the lines, and nothing is cut.
    console = Console(width=400, highlight=False, markup=False, soft_wrap=True)
    sys.exit(run(arguments(), console))
