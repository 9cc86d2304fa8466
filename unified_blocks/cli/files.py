"""The commands for files of numbers: `inspect`, `convert`, `diff`."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from unified_blocks.cli import graphs
from unified_blocks.cli.terminal import app, make_console, printable, usage_error
from unified_blocks.errors import UnifiedBlocksError
from unified_blocks.files.parts import in_both, renamed, writable
from unified_blocks.files.state_files import opened, with_kinds, write_state
from unified_blocks.formats.stored import StateFile, Stored
from unified_blocks.models.differences import StateDifference, diff_state
from unified_blocks.types import Array

File = Annotated[Path, typer.Argument(metavar="FILE", help="A file of numbers, of any format.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        metavar="PATH=KIND",
        help="Kind of a layer that a Keras file does not tell: --kind conv=Conv2D. Repeatable.",
    ),
]
Rename = Annotated[
    list[str] | None,
    typer.Option(
        "--rename",
        metavar="OLD=NEW",
        help="Another name, of an array or of all below a path: --rename fc=out. Repeatable.",
    ),
]
CHUNK = 1 << 20
KERAS = (".h5", ".keras")
LARGE = 100_000_000
"""Bytes from which on a bar is drawn."""


@app.command(epilog="Example: unified-blocks inspect net.safetensors")
def inspect(
    file: File,
    kind: Kinds = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Leave out layers of unknown kinds.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Show what a file holds: names, shapes, dtypes, roles and norms, by canonical name.

    Reads .safetensors, PyTorch state dicts, MXNet .params, Keras .weights.h5 and .keras. What a
    .keras file, or the graph beside a .params file, says of norms is shown too.

    Of a graph of MXNet, net-symbol.json, it shows inputs, outputs, and what its operators compute.
    """
    with errors_shown():
        if graphs.is_graph(file):
            graph = graphs.described(file)
            if as_json:
                print_json(graph)
            else:
                graphs.show(make_console(), graph)
            return
        state = opened(file, kinds_of(kind), strict=not partial)
        with shown_progress(state) as shown:
            rows = [row_of(stored) for stored in shown.tensors.values()]
    if as_json:
        content = {"file": str(file), "format": state.format, "tensors": rows}
        metadata = {**state.metadata, **without_tensors(state.own)}
        more = {"settings": state.settings, "left_out": state.left_out}
        print_json({**content, "metadata": metadata, **more})
        return
    console = make_console()
    console.print(
        printable(f"{file}: {state.format}, {len(rows)} arrays, {total(state):,} numbers"),
        soft_wrap=True,
    )
    configuration = state.own.get("configuration")
    if isinstance(configuration, Mapping) and configuration.get("block"):
        block, library = configuration["block"], state.own.get("library")
        console.print(printable(f"a {block}, written by unified-blocks {library}"))
    table = Table("name", "shape", "dtype", "role", "norm")
    for row in rows:
        dtype = row["stored_dtype"] or row["dtype"]
        cells = (row["name"], str(tuple(row["shape"])), dtype, row["role"] or "", row["norm"])
        table.add_row(*(printable(c if isinstance(c, str) else f"{c:.6g}") for c in cells))
    console.print(table)
    if state.settings:
        console.print(settings_table(state.settings))
    print_left_out(console, state.left_out)


@app.command(epilog="Example: unified-blocks convert net.safetensors net.params")
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The file to read.")],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="The file to write: .safetensors, .pt, .params or .weights.h5."
        ),
    ],
    kind: Kinds = None,
    rename: Rename = None,
    partial: Annotated[
        bool,
        typer.Option(
            "--partial",
            help="Leave out layers of kinds that are unknown, or that OUT cannot hold.",
        ),
    ] = False,
) -> None:
    """Write the numbers of a file in another format, and read them back to compare.

    Names and layout are turned into those of the other format. Nothing is cast.
    """
    with errors_shown():
        kinds, told = kinds_of(kind), source.suffix in KERAS
        state = opened(source, kinds if told else None, strict=not partial)
        kinds = None if told else kinds
        state = renamed(state, pairs("--rename", "OLD=NEW", rename))
        left = list(state.left_out)
        if partial:
            state, unwritten = writable(with_kinds_of(state, kinds), target)
            left += unwritten
        with shown_progress(state) as shown:
            write_state(shown, target, kinds=kinds, metadata=kept_metadata(state))
        written = opened(target, None, strict=True)
        difference, counts = compared(state, written)
    console = make_console()
    if not difference.equal:
        console.print(printable(str(difference)))
        raise usage_error(f"{target} was written, but does not read back as {source}")
    print_left_out(console, left)
    if counts:
        console.print(left_out(counts))
    console.print(
        printable(
            f"{target}: {written.format}, {len(written)} arrays, {total(written):,} numbers, read "
            "back and compared: all equal"
        )
    )


@app.command(epilog="Example: unified-blocks diff net.safetensors net.params")
def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="A file of numbers.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another, of any format.")],
    rename: Rename = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Compare only what both files have.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Compare the numbers of two files by canonical name. Exits with 1 when any differ.

    With --rename, names of A are turned into those of B.
    """
    with errors_shown():
        first, second = (opened(file, None, strict=not partial) for file in (a, b))
        first = renamed(first, pairs("--rename", "OLD=NEW", rename))
        left = [*first.left_out, *second.left_out]
        if partial:
            first, second, only = in_both(first, second)
            left += [f"{name}, which one lacks" for name in only]
        difference, counts = compared(first, second)
    if as_json:
        rows = [vars(row) for row in difference.rows]
        content = {"equal": difference.equal, "left_out": [*counts, *left], "tensors": rows}
        print_json(content)
    else:
        console = make_console()
        console.print(printable(str(difference)), soft_wrap=True)
        if counts:
            console.print(left_out(counts))
        print_left_out(console, left)
    raise typer.Exit(0 if difference.equal else 1)


def kinds_of(given: list[str] | None) -> dict[str, str] | None:
    """The kinds of layers by path, as given on the command line."""
    return pairs("--kind", "PATH=KIND", given) or None


def pairs(option: str, form: str, given: list[str] | None) -> dict[str, str]:
    """What was given as `name=value`, for an option that can be repeated."""
    for pair in given or []:
        if pair.count("=") != 1:
            raise usage_error(f"{option} must be {form}; got {pair}")
    return dict(pair.split("=") for pair in given or [])


def with_kinds_of(state: StateFile, kinds: Mapping[str, str] | None) -> StateFile:
    """`state` with the kinds of layers that were given."""
    tensors = with_kinds(list(state.tensors.values()), kinds or {})
    return replace(state, tensors={stored.name: stored for stored in tensors})


def print_left_out(console: Console, left: Sequence[str]) -> None:
    """A line for each layer that was left out."""
    for reason in left:
        console.print(printable(f"left out: {reason}"), soft_wrap=True)


def settings_table(settings: Mapping[str, Mapping[str, Any]]) -> Table:
    """What a file says of layers besides their numbers."""
    keys = list(dict.fromkeys(key for told in settings.values() for key in told))
    table = Table("layer", *keys)
    for layer, told in settings.items():
        cells = (layer, *(str(told.get(key, "")) for key in keys))
        table.add_row(*map(printable, cells))
    return table


def kept_metadata(state: StateFile) -> Mapping[str, Any]:
    """The metadata on the block in a file of this library, to copy to the next file."""
    return without_tensors(state.own) if "configuration" in state.own else {}


def without_tensors(own: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of a file of this library, without those of each array."""
    return {key: value for key, value in own.items() if key != "tensors"}


def compared(a: StateFile, b: StateFile) -> tuple[StateDifference, list[str]]:
    """How two files differ, and the counts of batches that only one has: some cannot store them."""
    differing = {*a} ^ {*b}
    every = {**a.tensors, **b.tensors}
    counts = [name for name, stored in every.items() if stored.optional and name in differing]
    kept = (
        replace(file, tensors={n: s for n, s in file.tensors.items() if n not in counts})
        for file in (a, b)
    )
    return diff_state(*kept), counts


def left_out(counts: list[str]) -> str:
    """The line about counts of batches that were not written."""
    return f"left out: {len(counts)} counts of batches, which the format cannot store"


def row_of(stored: Stored) -> dict[str, Any]:
    """The row of `inspect` for an array."""
    return {
        "name": stored.name,
        "shape": list(stored.shape),
        "dtype": stored.dtype,
        "role": stored.role,
        "kind": stored.kind,
        "norm": norm(stored.read()),
        "stored_name": stored.stored_name,
        "stored_dtype": stored.stored_dtype,
    }


def norm(array: Array) -> float:
    """The square root of the sum of all squares, in float64."""
    flat = array.reshape(-1)
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, flat.size, CHUNK):
            total += float(np.square(flat[start : start + CHUNK].astype("float64")).sum())
    return math.sqrt(total)


def print_json(content: Any) -> None:
    """Print `content` as JSON, and values that JSON lacks as text."""
    try:
        text = json.dumps(spelled_out(content), indent=2, allow_nan=False, default=str)
    except RecursionError:
        raise usage_error(
            "what is printed as JSON must be nested less deeply; got metadata that are not: leave "
            "out --json"
        ) from None
    print(text)


def spelled_out(value: Any) -> Any:
    """`value`, with each number that JSON cannot hold replaced by its name."""
    if isinstance(value, Mapping):
        return {str(key): spelled_out(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [spelled_out(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def total(state: StateFile) -> int:
    """How many numbers a file holds."""
    return sum(math.prod(stored.shape) for stored in state.tensors.values())


@contextmanager
def errors_shown() -> Iterator[None]:
    """End the command with the message of an error of this library or of the file system."""
    try:
        yield
    except (UnifiedBlocksError, OSError) as error:
        raise usage_error(str(error)) from None


@contextmanager
def shown_progress(state: StateFile) -> Iterator[StateFile]:
    """`state`, drawing a bar in a terminal while the arrays of a large file are read."""
    size = sum(stored.nbytes for stored in state.tensors.values())
    if size < LARGE or not sys.stderr.isatty():
        yield state
        return
    columns = (TextColumn(state.path.name), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("read", total=size)

        def counted(stored: Stored) -> Callable[[], Array]:
            def read() -> Array:
                array = stored.read()
                bar.advance(task, stored.nbytes)
                return array

            return read

        tensors = {name: replace(s, read=counted(s)) for name, s in state.tensors.items()}
        yield replace(state, tensors=tensors)
