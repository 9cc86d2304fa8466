"""The commands of `unified-blocks` for files of numbers: `inspect`, `convert`, `diff`."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from unified_blocks.errors import UnifiedBlocksError
from unified_blocks.files import read_state, write_state
from unified_blocks.formats.stored import StateFile, Stored
from unified_blocks.terminal import app, make_console, usage_error
from unified_blocks.transfer import diff_state
from unified_blocks.types import Array
from unified_blocks.variables import COUNT

File = Annotated[Path, typer.Argument(metavar="FILE", help="A file of numbers, of any format.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        metavar="PATH=KIND",
        help="What a layer is that a Keras file does not tell: --kind conv=Conv2D. Repeatable.",
    ),
]
CHUNK = 1 << 20
KERAS = (".h5", ".keras")
LARGE = 100_000_000
"""Bytes from which on a bar is drawn."""


@app.command()
def inspect(
    file: File,
    kind: Kinds = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Say what a file holds: names, shapes, dtypes, roles and norms, by canonical name.

    Reads .safetensors, PyTorch state dicts, MXNet .params, Keras .weights.h5 and .keras.
    """
    with errors_shown():
        state = read_state(file, kinds=kinds_of(kind))
        with shown_progress(state) as shown:
            rows = [row_of(stored) for stored in shown.tensors.values()]
    if as_json:
        content = {"file": str(file), "format": state.format, "tensors": rows}
        metadata = {key: value for key, value in state.metadata.items() if key != "tensors"}
        print(json.dumps({**content, "metadata": metadata}, indent=2, default=str))
        return
    console = make_console()
    console.print(f"{file}: {state.format}, {len(rows)} arrays, {total(state):,} numbers")
    block = state.metadata.get("configuration", {}).get("block")
    if block:
        console.print(f"a {block}, written by unified-blocks {state.metadata.get('library')}")
    table = Table("name", "shape", "dtype", "role", "norm")
    for row in rows:
        dtype = row["stored_dtype"] or row["dtype"]
        cells = (row["name"], str(tuple(row["shape"])), dtype, row["role"] or "", row["norm"])
        table.add_row(*(cell if isinstance(cell, str) else f"{cell:.6g}" for cell in cells))
    console.print(table)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The file to read.")],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="The file to write: .safetensors, .pt, .params or .weights.h5."
        ),
    ],
    kind: Kinds = None,
) -> None:
    """Write the numbers of a file in another format, and read them back to compare.

    Names and layout are turned into those of the other format. Nothing is cast.
    """
    with errors_shown():
        kinds = kinds_of(kind)
        state = read_state(source, kinds=kinds if source.suffix in KERAS else None)
        with shown_progress(state) as shown:
            write_state(shown, target, kinds=kinds, metadata=kept_metadata(state))
        written = read_state(target)
        counts = [n for n in state if n.rpartition(".")[2] == COUNT and n not in written]
        kept = {name: stored for name, stored in state.tensors.items() if name not in counts}
        difference = diff_state(replace(state, tensors=kept), written)
    console = make_console()
    if not difference.equal:
        console.print(str(difference))
        raise usage_error(f"{target} was written, and does not read back as {source}")
    if counts:
        console.print(
            f"left out: {len(counts)} counts of batches, for which the format has no place"
        )
    console.print(
        f"{target}: {written.format}, {len(written)} arrays, {total(written):,} numbers, read back "
        "and compared: all equal"
    )


@app.command()
def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="A file of numbers.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another, of any format.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Compare the numbers of two files by canonical name. Exits with 1 when any differ."""
    with errors_shown():
        difference = diff_state(read_state(a), read_state(b))
    if as_json:
        rows = [{**vars(row), "largest": finite(row.largest)} for row in difference.rows]
        print(json.dumps({"equal": difference.equal, "tensors": rows}, indent=2))
    else:
        make_console().print(str(difference), soft_wrap=True)
    raise typer.Exit(0 if difference.equal else 1)


def kinds_of(pairs: list[str] | None) -> dict[str, str] | None:
    """The kinds of layers by path, as given on the command line."""
    if not pairs:
        return None
    for pair in pairs:
        if pair.count("=") != 1:
            raise usage_error(f"--kind must be PATH=KIND; got {pair}")
    return dict(pair.split("=") for pair in pairs)


def kept_metadata(state: StateFile) -> Mapping[str, Any]:
    """What a file of this library says of its block, for the next one."""
    if "configuration" not in state.metadata:
        return {}
    return {key: value for key, value in state.metadata.items() if key != "tensors"}


def row_of(stored: Stored) -> dict[str, Any]:
    """What `inspect` says of an array."""
    return {
        "name": stored.name,
        "shape": list(stored.shape),
        "dtype": stored.dtype,
        "role": stored.role,
        "kind": stored.kind,
        "norm": finite(norm(stored.read())),
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


def finite(number: float | None) -> float | str | None:
    """A number that JSON can hold; the name of one that it cannot."""
    return number if number is None or math.isfinite(number) else str(number)


def total(state: StateFile) -> int:
    """How many numbers a file holds."""
    return sum(math.prod(stored.shape) for stored in state.tensors.values())


@contextmanager
def errors_shown() -> Iterator[None]:
    """End the command with the message of an error of ours, or of the file system."""
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
