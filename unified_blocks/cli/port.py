"""The command `port`: a network of MXNet as source code of another framework."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from unified_blocks.cli.files import errors_shown
from unified_blocks.cli.terminal import app, make_console, printable, usage_error
from unified_blocks.porting.port import NUMBERS, REPORT, SOURCE
from unified_blocks.porting.port import port as ported

INPUT = re.compile(r"(?:(?P<name>.+)=)?(?P<shape>\d+(?:,\d+)*,?)(?::(?P<dtype>\w+))?")


@app.command(
    epilog="Example: unified-blocks port net-symbol.json net-0000.params --to torch --input 1,3,8,8"
)
def port(
    source: Annotated[
        str,
        typer.Argument(
            metavar="GRAPH", help="net-symbol.json, or the name of a network of the model zoo."
        ),
    ],
    to: Annotated[str, typer.Option(metavar="TARGET", help="torch, tensorflow or unified_blocks.")],
    params: Annotated[
        Path | None,
        typer.Argument(
            metavar="PARAMS", help="Its .params file; left out, net-0000.params beside the graph."
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where to write.")
    ] = Path("net"),
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="SHAPE",
            help="Shape of an input: 1,3,224,224 or name=1,3,224,224 or name=1,128:int32. "
            "Repeatable.",
        ),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--outputs",
            metavar="NODE",
            help="Give what this node gives, and leave out what comes after it. Repeatable.",
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            metavar="LAYOUT",
            help="For Keras: channels_last, which it prefers, or channels_first.",
        ),
    ] = None,
    proof: Annotated[
        bool, typer.Option("--proof/--no-proof", help="Compare it with the original.")
    ] = True,
    gradients: Annotated[
        bool, typer.Option("--gradients", help="Compare gradients too; needs MXNet.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write what MXNet computes, for --judge on another machine."
        ),
    ] = None,
    judge: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Compare with what --record wrote.")
    ] = None,
) -> None:
    """Turn a network of MXNet into source code, with its numbers, and prove that it is equal.

    Writes net.py, net.safetensors and report.html. Needs neither MXNet nor the other framework; the
    proof says what it was made with. Exits with 1 when a layer is out of tolerance.
    """
    with errors_shown():
        made = ported(
            source, to, params=params, example=example_of(given), outputs=outputs, layout=layout
        )
        console = make_console()
        if record is not None:
            made.record(record)
            console.print(printable(f"{record}: what MXNet computes, for --judge"), soft_wrap=True)
        if proof:
            made.proof = made.prove(gradients=gradients, judge=judge)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", UserWarning)
            written = made.save(folder, proof=proof)
    held = sum(array.size for array in made.state.values())
    about = {
        SOURCE: f"{len(made.source.splitlines()):,} lines, {made.target.title}",
        NUMBERS: f"{len(made.state):,} arrays, {held:,} numbers",
        REPORT: f"{'what was proved of each layer, and ' if proof else ''}the names of all arrays",
    }
    for path in written:
        console.print(printable(f"{path}: {about[path.name]}"), soft_wrap=True)
    for warning in told:
        console.print(printable(str(warning.message).removeprefix("port: ")), soft_wrap=True)
    for decision in made.decisions:
        console.print(printable(decision), soft_wrap=True)
    if not proof:
        return
    found = made.proof
    console.print(printable(str(found) if found.rows else "\n".join(found.notes)), soft_wrap=True)
    raise typer.Exit(1 if found.rows and not found.ok else 0)


def example_of(given: list[str] | None) -> Any:
    """The shapes that were given, in order or by name."""
    named: dict[str, Any] = {}
    shapes: list[Any] = []
    for text in given or []:
        found = INPUT.fullmatch(text.replace(" ", ""))
        if found is None:
            raise usage_error(
                f"--input must be a shape, NAME=SHAPE or NAME=SHAPE:DTYPE; got {text}: give one "
                "such as 1,3,224,224"
            )
        shape: Any = tuple(int(size) for size in found["shape"].split(",") if size)
        if found["dtype"]:
            shape = (shape, found["dtype"])
        if found["name"]:
            named[found["name"]] = shape
        else:
            shapes.append(shape)
    if named and shapes:
        raise usage_error(f"--input must be given with a name for each, or none; got {given}")
    return named or tuple(shapes) or None
