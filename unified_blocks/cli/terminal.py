"""The app, the console and the options that the commands of `unified-blocks` share."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from unified_blocks.backend.registry import resolve_name
from unified_blocks.errors import UnknownBackendError
from unified_blocks.version import __version__

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"unified-blocks {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Neural network blocks, written once, native on PyTorch, Keras and Gluon."""


def usage_error(message: str) -> typer.Exit:
    """The exception that ends a command with `message` and status 2."""
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    console.print(f"unified-blocks: {printable(message)}", style="red")
    return typer.Exit(2)


def printable(text: str) -> str:
    """`text` with its control characters escaped, except for ends of lines.

    Names in a file are not trusted: unescaped, they could control the terminal.
    """
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def make_console() -> Console:
    """A console as wide as the terminal; 100 columns when the output goes elsewhere."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 100
    return Console(width=width, highlight=False, markup=False)  # "[torch]" is not markup


Backends = Annotated[
    list[str] | None,
    typer.Option("--backend", metavar="NAME", help="Only this backend; repeatable."),
]


def named(backends: list[str] | None) -> list[str]:
    """The registered names behind the ones given, each once; empty when none was."""
    try:
        return list(dict.fromkeys(resolve_name(name) for name in backends or ()))
    except UnknownBackendError as error:
        raise usage_error(str(error)) from None
