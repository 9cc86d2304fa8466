"""The command `demo`: the same blocks agree, number for number, on every installed framework."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from unified_blocks.backend.registry import install_command, registered_backends
from unified_blocks.cli.characters import READ_BY_GRU
from unified_blocks.cli.demo_report import Report, training_table
from unified_blocks.cli.diagnosis import diagnose_all
from unified_blocks.cli.digits import READ_BY_LENET, READ_BY_MLP, load_digits
from unified_blocks.cli.tables import backends_table, matrix_table
from unified_blocks.cli.terminal import Backends, app, make_console, named, usage_error
from unified_blocks.equivalence.matrix.cells import Cell, cells
from unified_blocks.equivalence.matrix.observing import DTYPES, make_record

LEARNERS = (READ_BY_MLP, READ_BY_LENET, READ_BY_GRU)


@app.command(epilog="Example: unified-blocks demo --backend torch --json figures.json")
def demo(
    backend: Backends = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all figures here.")
    ] = None,
) -> None:
    """Show that the four blocks agree on every installed framework, and learn real data alike.

    Exits with 1 when a figure is out of tolerance, and with 2 when a named backend cannot be used.
    """
    # Read when a framework is imported: several threads add up in another order at each run, and
    # in float32 a rounding is enough for two curves to part.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    console = make_console()
    if json_file is not None and not json_file.parent.is_dir():
        raise usage_error(f"--json must name a file in a folder that exists; got {json_file}")
    report = Report(diagnose_all(named(backend)))
    console.print(backends_table(report.backends))
    broken = [diagnosis for diagnosis in report.backends if not diagnosis.ok]
    working = [diagnosis.name for diagnosis in report.backends if diagnosis.ok]
    if backend and broken:
        raise usage_error(f"{broken[0].name}: {broken[0].problem}; run: {broken[0].remedy}")
    if not working:
        commands = " or ".join(install_command(name) for name in registered_backends())
        raise usage_error(f"no framework works here; run: {commands}")
    try:
        load_digits()
    except ImportError as error:
        raise usage_error(str(error)) from None

    with console.status("comparing blocks"):
        report.cells = measured(working)
    for dtype in DTYPES:
        console.print(matrix_table(report.cells, dtype))
    for learner in LEARNERS:
        for dtype in DTYPES:
            for name in working:
                with console.status(f"training on {name} in {dtype}"):
                    report.trainings.append(learner.train(name, dtype))
            console.print(training_table(report.trained(learner.title, dtype), dtype))
    for (title, dtype), difference in report.differences().items():
        if len(working) > 1:
            console.print(
                f"{title} in {dtype}: the losses of any two backends are within "
                f"{difference:.1e} of each other, relatively"
            )
    if json_file is not None:
        json_file.write_text(
            json.dumps(report.as_json(), indent=2, allow_nan=False) + "\n", encoding="utf-8"
        )
    problems = report.problems()
    for problem in problems:
        console.print(problem, style="bold red")
    if problems:
        raise typer.Exit(1)
    count = f"{len(report.cells)} cells on {len(working)} backend{'s' * (len(working) > 1)}"
    console.print(f"All {count} within tolerance.", style="bold green")


def measured(backends: list[str]) -> list[Cell]:
    """The matrix of the book's blocks on these backends, without training and files."""
    return cells([make_record(backend, modes=("forward", "gradient")) for backend in backends])
