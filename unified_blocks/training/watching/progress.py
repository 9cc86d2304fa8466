"""A bar that shows how far a training is; only in a terminal, and where Rich is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from unified_blocks.training.history import History


@contextmanager
def progress_bar(epochs: int, wanted: bool) -> Iterator[Callable[[History], None]]:
    """A function to call after each epoch, which draws a bar in a terminal and else nothing."""
    if not wanted or not sys.stderr.isatty():
        yield lambda history: None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    except ImportError:  # Rich is an extra: without it there is no bar
        yield lambda history: None
        return
    columns = ("epoch", MofNCompleteColumn(), BarColumn(), TextColumn("loss {task.fields[loss]}"))
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("fit", total=epochs, loss="")
        yield lambda history: bar.update(task, advance=1, loss=f"{history.loss[-1]:.6f}")
