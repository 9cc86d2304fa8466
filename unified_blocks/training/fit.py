"""`fit`: epochs of training steps, in an order of batches that is the same on every framework."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unified_blocks.backend import Loss, Optimizer
from unified_blocks.backend.tensors import backend_of
from unified_blocks.models.variables import all_built, device_of_variables
from unified_blocks.training.gradients import native_batch
from unified_blocks.training.losses import apply_loss, check_targets
from unified_blocks.training.trainer import Trainer


@dataclass
class History:
    """What `fit` saw.

    Attributes:
        loss: for each epoch, the mean loss over its samples, each batch before its update.
        validation_loss: for each epoch, the loss on the validation data after it; empty without.
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)


def fit(
    net: Any,
    x: Any,
    y: Any,
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int = 1,
    batch_size: int = 32,
    seed: int = 0,
    validation: tuple[Any, Any] | None = None,
    progress: bool = True,
) -> History:
    """Train `net` on `x` and `y`.

    Each epoch goes through the samples in an order drawn from one NumPy
    `Generator(PCG64(seed))`, so that it is the same on every backend; the last batch may be
    smaller.

    Args:
        net: a built model of any framework.
        x, y: inputs and targets, NumPy arrays or tensors of that framework, samples first.
        loss, optimizer: as `Trainer` takes them; a loss that takes targets.
        epochs: how many times to go through the samples.
        batch_size: how many samples to a step.
        seed: of the order.
        validation: `(x, y)` to measure the loss on after each epoch.
        progress: whether to draw a bar; only in a terminal, and where Rich is installed.

    Returns:
        The losses, as numbers.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        TypeError: another framework's tensor, or another optimizer.
        ValueError: `x` and `y` of different lengths, no samples, a number below 1, or targets,
            of `validation` too, that the loss does not take.
    """
    for name, number in (("epochs", epochs), ("batch_size", batch_size)):
        if number < 1:
            raise ValueError(f"fit: {name} must be at least 1; got {name}={number}")
    samples = len(x)
    if samples == 0 or len(y) != samples:
        raise ValueError(
            f"fit: x and y must hold the same number of samples, at least one; got {samples} "
            f"and {len(y)}"
        )
    check_targets(loss, y)
    if validation is not None:
        check_targets(loss, validation[1])
    trainer = Trainer(net, optimizer, loss)
    x, y = (native_batch(trainer.backend, batch, trainer.device) for batch in (x, y))
    sizes = [min(batch_size, samples - i) for i in range(0, samples, batch_size)]
    generator = np.random.Generator(np.random.PCG64(seed))
    history = History()
    with progress_bar(epochs, progress) as advance:
        for _ in range(epochs):
            losses = trainer.epoch(x, y, generator.permutation(samples), batch_size)
            history.loss.append(float(np.average(losses, weights=sizes)))
            if validation is not None:
                history.validation_loss.append(evaluate(net, *validation, loss=loss))
            advance(history)
    return history


def evaluate(net: Any, x: Any, y: Any, *, loss: Loss) -> float:
    """The loss of `net` on `x` and `y`, in inference mode.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
    """
    backend = backend_of(net)
    device = device_of_variables(all_built(net, "evaluate"))
    output = backend.run(net, [native_batch(backend, x, device)])
    with backend.inferring(net):
        value = apply_loss(backend.loss_function(loss), output, native_batch(backend, y, device))
    return float(backend.to_numpy(value))


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
