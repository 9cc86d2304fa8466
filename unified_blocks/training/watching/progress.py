"""Bars that show how far something is; only in a terminal, and where Rich is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from unified_blocks.training.data.batches import tensors_in
from unified_blocks.training.history import History


@contextmanager
def bar_of(what: str, total: int | None, wanted: bool) -> Iterator[Callable[..., None] | None]:
    """A function `draw(done, words)` that draws a bar on the standard error; None without one.

    It draws at most ten times a second, whatever number of calls there is. It shows the time that
    is left when `total` is known.
    """
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
    except ImportError:  # Rich is an extra: without it there is no bar
        yield None
        return
    columns = (
        *(what, MofNCompleteColumn(), BarColumn(), TextColumn("{task.fields[words]}")),
        *(TimeElapsedColumn(), "left", TimeRemainingColumn()),
    )
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=10) as bar:
        task = bar.add_task(what, total=total, words="")
        yield lambda done, words="": bar.update(task, completed=done, words=words)


@contextmanager
def progress_bar(epochs: int, wanted: bool) -> Iterator[Callable[[History], None]]:
    """A function to call after each epoch, which draws a bar in a terminal and else nothing."""
    with bar_of("epoch", epochs, wanted) as draw:
        if draw is None:
            yield lambda history: None
        else:
            yield lambda history: draw(len(history.loss), last_of(history))


@contextmanager
def samples_bar(what: str, x: Any, wanted: bool) -> Iterator[Callable[[int], None]]:
    """A function to call with how many more samples of `x` are done."""
    tensors = list(tensors_in(x)) if isinstance(x, (tuple, list, dict)) else [x]
    total = len(tensors[0]) if tensors and hasattr(tensors[0], "__len__") else None
    done = 0
    with bar_of(what, total, wanted) as draw:

        def more(samples: int) -> None:
            nonlocal done
            done += samples
            if draw is not None:
                draw(done)

        yield more


def last_of(history: History) -> str:
    """The numbers of the last epoch, in words."""
    curves = {name: values[-1] for name, values in history.curves.items() if values}
    seconds = curves.pop("seconds", None)
    words = [f"{name.replace('_', ' ')} {value:.4g}" for name, value in curves.items()]
    if seconds is not None:
        words.append(f"{seconds:.2g} s")
    return "  ".join(words)
