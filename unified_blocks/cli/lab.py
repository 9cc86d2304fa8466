"""The commands that measure equivalence: `record`, `compare`."""

from __future__ import annotations

import json
import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from unified_blocks.backend.registry import (
    available_backends,
    install_command,
    load_backend,
    registered_backends,
)
from unified_blocks.cli.tables import cell_as_json, matrix_table, nullified, problem_of
from unified_blocks.cli.terminal import Backends, app, make_console, named, printable, usage_error
from unified_blocks.equivalence.layouts import declared
from unified_blocks.equivalence.matrix.cases import ALL_CASES
from unified_blocks.equivalence.matrix.cells import Cell, cells, title
from unified_blocks.equivalence.matrix.observing import DTYPES, make_record
from unified_blocks.equivalence.matrix.records import (
    TEXTS,
    Record,
    read_record,
    source_of,
    write_record,
)
from unified_blocks.equivalence.matrix.workers import Task, make_records
from unified_blocks.equivalence.modes import MODES, Mode
from unified_blocks.errors import BackendImportError, UnifiedBlocksError
from unified_blocks.reference.policy import TOLERANCES, own_tolerance

SHOWN = 20
"""The most problems that are printed in full."""

Dtypes = Annotated[
    list[str] | None,
    typer.Option("--dtype", metavar="DTYPE", help=f"One of {', '.join(TOLERANCES)}; repeatable."),
]
Modes = Annotated[
    list[str] | None,
    typer.Option("--mode", metavar="MODE", help=f"One of {', '.join(MODES)}; repeatable."),
]
Cases = Annotated[
    list[str] | None,
    typer.Option(
        "--case",
        metavar="NAME",
        help=f"One of {', '.join(case.name for case in ALL_CASES)}; repeatable.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODULE:FACTORY",
        help="Your own model instead: what makes a block on the default backend, or a native "
        "model when it has a parameter, which gets the name of the backend.",
    ),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input", metavar="SHAPE", help="The shape of your model's input: 2,20. Repeatable."
    ),
]
Layouts = Annotated[
    str | None,
    typer.Option(
        "--layouts",
        metavar="NCHW,NHWC",
        help="Where images have the channels: for each backend in the order of --backend, --input "
        "being in the first. For one backend that of --input, and its own.",
    ),
]


@app.command(
    epilog="Example: unified-blocks record --backend torch --case MLP --mode forward "
    "-o mine.rec.safetensors"
)
def record(
    backend: Annotated[str, typer.Option("--backend", metavar="NAME", help="The backend.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Where to write: NAME.rec.safetensors."
        ),
    ],
    device: Annotated[
        str, typer.Option("--device", metavar="DEVICE", help="The device: cpu, gpu:0.")
    ] = "cpu",
    dtype: Dtypes = None,
    mode: Modes = None,
    case: Cases = None,
    model: Model = None,
    input: Inputs = None,  # noqa: A002  # named as the option is
    layouts: Layouts = None,
) -> None:
    """Write down what one backend gives, to be compared where it is not installed.

    Exits with 1 when something raised; all else is in the file.
    """
    (name,) = named([backend])
    task = in_layouts(task_of(dtype, mode, case, model, input, layouts=layouts), layouts, [name])
    if not output.parent.is_dir():
        raise usage_error(f"--output must name a file in a folder that exists; got {output}")
    try:
        cases = task.chosen()
        load_backend(name).exact_products()
        with progress() as bar:
            count = len(cases) * len(task.dtypes) * len(task.modes)
            row = bar.add_task(name, total=count)
            made = make_record(
                name,
                device,
                cases,
                task.dtypes,
                task.modes,
                lambda key, entry: bar.advance(row),
                task.layouts_of(name),
            )
        write_record(made, output)
    except (BackendImportError, ValueError, OSError) as error:
        raise usage_error(str(error)) from None
    console = make_console()
    counts = Counter(entry.status for entry in made.entries.values())
    found = ", ".join(f"{count} {status}" for status, count in counts.items())
    console.print(f"{output}: {title(made)}: {found}", soft_wrap=True)
    problems = [
        f"{case} in {dtype}: {mode} failed: {entry.reason}"
        for (case, dtype, mode), entry in made.entries.items()
        if entry.status == "error"
    ]
    show_problems(console, problems)
    if problems:
        raise typer.Exit(1)


@app.command(epilog="Example: unified-blocks compare mine.rec.safetensors --json figures.json")
def compare(
    records: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RECORD]...", help="Files that `unified-blocks record` wrote."),
    ] = None,
    backend: Backends = None,
    device: Annotated[
        list[str] | None,
        typer.Option("--device", metavar="DEVICE", help="Only this device; repeatable."),
    ] = None,
    dtype: Dtypes = None,
    mode: Modes = None,
    case: Cases = None,
    model: Model = None,
    input: Inputs = None,  # noqa: A002  # named as the option is
    layouts: Layouts = None,
    rtol: Annotated[
        float | None,
        typer.Option(
            "--rtol",
            metavar="NUMBER",
            help="Your own tolerance instead of the policy: this share of each number, and --atol.",
        ),
    ] = None,
    atol: Annotated[
        float | None,
        typer.Option("--atol", metavar="NUMBER", help="The absolute part of it; alone, all of it."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Refuse records that other code than this made.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all figures here.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with pictures here.")
    ] = None,
) -> None:
    """Compare backends with what is expected and with each other, in every mode and dtype.

    Without files each installed backend is run, in a process of its own, on each device. With files
    no framework is needed. Exits with 1 when a cell is out of tolerance or in error.
    """
    for option, file in (("--json", json_file), ("--html", html_file)):
        if file is not None and not file.parent.is_dir():
            raise usage_error(f"{option} must name a file in a folder that exists; got {file}")
    if html_file is not None:
        check_report()
    try:
        with own_tolerance(rtol, atol):
            if records:
                options = {
                    "--backend": backend, "--device": device, "--dtype": dtype, "--mode": mode,
                    "--case": case, "--model": model, "--input": input, "--layouts": layouts,
                }  # fmt: skip
                if given := [option for option, value in options.items() if value]:
                    raise usage_error(
                        f"{given[0]} is for recording; got it with records: leave it out"
                    )
                compared = [read_record(path) for path in records]
                if fresh:
                    check_fresh(records, compared)
            else:
                task = task_of(dtype, mode, case, model, input, device, layouts)
                backends = installed(backend)
                compared = record_all(in_layouts(task, layouts, backends), backends)
            matrix = cells(compared)
    except (UnifiedBlocksError, ValueError, OSError) as error:
        raise usage_error(str(error)) from None
    problems = [problem_of(cell) for cell in matrix if not cell.ok]
    if json_file is not None:
        about = [
            {name: getattr(record, name) for name in (*TEXTS, "layouts")} for record in compared
        ]
        figures = {"records": about, "cells": [*map(as_json, matrix)], "problems": problems}
        text = json.dumps(nullified(figures), indent=2, allow_nan=False)
        json_file.write_text(text + "\n", encoding="utf-8")
    if html_file is not None:
        from unified_blocks.equivalence.matrix.page import matrix_page

        command = shlex.join(["unified-blocks", *sys.argv[1:]])
        html_file.write_text(matrix_page(matrix, compared, command), encoding="utf-8")
    console = make_console()
    for name in dict.fromkeys(cell.dtype for cell in matrix):
        console.print(matrix_table(matrix, name))
    show_unsupported(console, matrix)
    show_problems(console, problems)
    if problems:
        console.print(f"{len(problems)} of {len(matrix)} cells are wrong.", style="bold red")
        raise typer.Exit(1)
    measured = [cell for cell in matrix if cell.status == "ok"]
    if not measured:
        console.print("Nothing was compared.", style="bold red")
        raise typer.Exit(1)
    console.print(f"All {len(measured)} cells within tolerance.", style="bold green")


def task_of(
    dtypes: list[str] | None,
    modes: list[str] | None,
    cases: list[str] | None,
    model: str | None,
    inputs: list[str] | None,
    devices: list[str] | None = None,
    layouts: str | None = None,
) -> Task:
    """What is to be recorded, as said on the command line; `in_layouts` adds the layouts."""
    if model and cases:
        raise usage_error("--case is of this library's blocks; got it with --model: leave one out")
    if bool(model) != bool(inputs):
        given, missing = ("--model", "--input") if model else ("--input", "--model")
        raise usage_error(f"{given} must come with {missing}; got it alone: add {missing}")
    if layouts and not model:
        raise usage_error("--layouts must come with --model; got it alone: add --model and --input")
    if model and (folder := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, folder)
    shapes = [shape_of(text) for text in inputs or ()]
    return Task(
        among("--case", cases, [case.name for case in ALL_CASES]),
        model or "",
        shapes,
        list(dict.fromkeys(devices or ())),
        among("--dtype", dtypes, list(TOLERANCES)) or DTYPES,
        cast("Sequence[Mode]", among("--mode", modes, list(MODES)) or MODES),
    )


def in_layouts(task: Task, text: str | None, backends: Sequence[str]) -> Task:
    """The same in these layouts: of the inputs, and of the model on each backend: `NCHW,NHWC`."""
    if not text:
        return task
    given, *others = text.split(",")
    own = [given, *others] if len(backends) > 1 else others
    if len(own) != len(backends):
        several = (
            f"a layout for each of {', '.join(backends)}; got {text}: name the backends by "
            "--backend, in this order"
        )
        alone = f"that of --input, and that of the model; got {text}: give NCHW,NHWC"
        raise usage_error(f"--layouts must be {several if len(backends) > 1 else alone}")
    images = [np.broadcast_to(0.0, shape) for shape in task.inputs]
    for layout in own:
        try:
            declared((given, layout)).second(images)
        except ValueError:
            raise usage_error(
                "--layouts must be of images with as many axes as --input, the same but for where "
                f"the channels are; got {text} for {', '.join(map(str, task.inputs))}: "
                "give NCHW,NHWC"
            ) from None
    layouts = {backend: (given, layout) for backend, layout in zip(backends, own, strict=True)}
    return replace(task, layouts=layouts)


def among(option: str, given: list[str] | None, known: list[str]) -> list[str]:
    """What was given, each once, in the order of `known`."""
    for name in given or ():
        if name not in known:
            raise usage_error(f"{option} must be one of {', '.join(known)}; got {name}")
    return [name for name in known if name in (given or ())]


def shape_of(text: str) -> tuple[int, ...]:
    """The shape that was given as `2,20`."""
    try:
        shape = tuple(int(size) for size in text.split(","))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise usage_error(f"--input must be sizes from 1 with commas between: 2,20; got {text}")
    return shape


def installed(backends: list[str] | None) -> list[str]:
    """The named backends, or all that are installed."""
    found = available_backends()
    for name in (chosen := named(backends)):
        if name not in found:
            raise usage_error(f"{name}: not installed; run: {install_command(name)}")
    if not found:
        commands = " or ".join(install_command(name) for name in registered_backends())
        raise usage_error(f"no framework works here; run: {commands}")
    return chosen or found


def record_all(task: Task, backends: list[str]) -> list[Record]:
    """The records of these backends, with a bar for each while they come."""
    with progress() as bar:
        rows = {name: bar.add_task(name, start=False, total=None) for name in backends}

        def tell(name: str, entries: int) -> None:
            if entries:
                bar.update(rows[name], total=entries)
                bar.start_task(rows[name])
            else:
                bar.advance(rows[name])

        return make_records(task, backends, tell)


def progress() -> Progress:
    """Bars on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))


def check_report() -> None:
    """End the command, before anything is measured, unless a page can be made."""
    try:
        import unified_blocks.report  # noqa: F401
    except ImportError as error:
        raise usage_error(str(error)) from None


def check_fresh(paths: Iterable[Path], records: Iterable[Record]) -> None:
    """End the command unless this very code made the records."""
    for path, made in zip(paths, records, strict=True):
        if made.source != source_of(made.backend):
            raise usage_error(
                f"{path} must be recorded by the code that is installed here; got a record of "
                f"other code, of unified-blocks {made.library}: record it again"
            )


def show_unsupported(console: Console, matrix: Iterable[Cell]) -> None:
    """Print why cells were left out, each reason once."""
    reasons: dict[str, list[Cell]] = {}
    for cell in matrix:
        if cell.status == "unsupported":
            reasons.setdefault(cell.reason, []).append(cell)
    for reason, left_out in reasons.items():
        names = ", ".join(dict.fromkeys(cell.backend for cell in left_out))
        console.print(printable(f"{len(left_out)} left out on {names}: {reason}"), style="dim")


def show_problems(console: Console, problems: list[str]) -> None:
    """Print what is wrong."""
    for problem in problems[:SHOWN]:
        console.print(printable(problem), style="bold red")
    if len(problems) > SHOWN:
        console.print(f"… and {len(problems) - SHOWN} more", style="bold red")


def as_json(cell: Cell) -> dict[str, Any]:
    """A cell with all that was compared in it."""
    return {**cell_as_json(cell), "rows": [vars(row) for row in cell.rows]}
