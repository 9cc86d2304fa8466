"""`fit`: epochs of training steps, in an order of batches that is the same on every framework."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

from unified_blocks.backend import Group, Loss, Optimizer
from unified_blocks.backend.tensors import backend_of
from unified_blocks.backend.training_step import Clip, ParameterGroup
from unified_blocks.models.variables import all_variables, device_of_variables
from unified_blocks.training.building import build_by
from unified_blocks.training.callbacks import Callback
from unified_blocks.training.data.arrays import check_samples
from unified_blocks.training.data.sources import source_of
from unified_blocks.training.data.stream import is_loader
from unified_blocks.training.data.weights import ClassWeight
from unified_blocks.training.history import History
from unified_blocks.training.learning.schedules import schedule_meant
from unified_blocks.training.loop import Loop
from unified_blocks.training.losses import check_targets
from unified_blocks.training.runs.checkpoint import Checkpoint
from unified_blocks.training.trainer import Trainer
from unified_blocks.training.validation import split, validating
from unified_blocks.training.watching.metrics import Metric, metrics_meant
from unified_blocks.training.words import (
    check_count,
    loss_meant,
    optimizer_meant,
    shown,
)
from unified_blocks.training.workers.join import Distributed


def fit(
    net: Any,
    x: Any,
    y: Any = None,
    *,
    loss: Loss,
    optimizer: Optimizer | str,
    epochs: int = 1,
    batch_size: int = 32,
    seed: int = 0,
    validation: Any = None,
    progress: bool = True,
    validation_split: float = 0.0,
    sample_weight: Any = None,
    class_weight: ClassWeight | None = None,
    metrics: Sequence[str | Metric | Callable[..., Any]] = (),
    callbacks: Sequence[Callback] = (),
    schedule: Callable[[int], float] | None = None,
    clip: Clip | None = None,
    accumulate: int = 1,
    groups: Sequence[ParameterGroup] = (),
    precision: str | None = None,
    average: float | None = None,
    checkpoint: str | PathLike[str] | Checkpoint | None = None,
    distributed: Distributed = "auto",
) -> History:
    """Train `net` on `x` and `y`.

    Each epoch goes through the samples in an order drawn from one NumPy
    `Generator(PCG64(seed))`, so that it is the same on every backend; the last batch may be
    smaller.

    Args:
        net: a model of any framework. What of it does not exist yet is made by one inference call
            on the first batch.
        x, y: inputs and targets, NumPy arrays or tensors of that framework, samples first; of a
            model that takes several inputs a tuple of them, or a dict by the names of its
            arguments. Or `x` is what gives batches `(x, y)` or `(x, y, sample_weight)`: a loader
            of any framework, a list or an iterable of them, or a function that makes an iterator
            for each epoch.
        loss, optimizer: as `Trainer` takes them.
        epochs: how many times to go through the samples.
        batch_size: how many samples to a step; of a loader it is the loader's.
        seed: of the order; a loader has its own.
        validation: what to measure the loss and the metrics on after each epoch: `(x, y)`,
            `(x, y, sample_weight)`, or a loader.
        progress: whether to draw a bar; only in a terminal, and where Rich is installed.
        validation_split: the fraction of the samples, the last ones before any shuffling, to
            measure on instead of training on them, in [0, 1).
        sample_weight: a weight for each sample, `(n,)`, none below 0; the loss is then
            `Σ wᵢ lᵢ / Σ wᵢ` of each batch, and batches count by the sum of their weights.
        class_weight: a weight for each label, `{label: weight}` or an array; a factor on
            `sample_weight`.
        metrics, schedule, clip, accumulate, groups, precision, average: as `Trainer` takes them.
        callbacks: what is called while it trains: `ub.ReduceOnPlateau` and `ub.EarlyStopping`
            first, then the others in this order, `ub.Checkpoint` last.
        checkpoint: a folder, or a `ub.Checkpoint`: what is there goes on, and is kept there.
        distributed: who trains along: `"auto"`, as the environment says, or on the devices on which
            a strategy of TensorFlow or several contexts of MXNet have put `net`; None, nobody; or
            as `ub.join` takes it.

    Returns:
        The losses, as numbers.

    Raises:
        NotBuiltError: when a parameter does not exist after the first batch.
        TypeError: another framework's tensor, another optimizer, or a callback that is none.
        ValueError: `x` and `y` of different lengths, no samples, a number outside its range, or
            targets, of `validation` too, that the loss does not take.
        UnsupportedError: (a `TypeError`) an argument that this version has no rule for.

    Example::

        x = np.linspace(-1, 1, 64, dtype="float32").reshape(64, 1)
        net = ub.initialize(ub.build(ub.MLP(16, 1), (1, 1)))
        history = ub.fit(net, x, x**2, loss="mse", optimizer=ub.Adam(0.01), epochs=20)
        history.loss[-1] < history.loss[0]  # True
    """
    counts = {"epochs": epochs, "batch_size": batch_size, "accumulate": accumulate}
    for name, number in counts.items():
        check_count("fit", name, number)
    optimizer, loss = optimizer_meant(optimizer), loss_meant(loss)
    watched = metrics_meant(metrics)
    called = callbacks_meant(callbacks, checkpoint)
    if validation_split:
        if validation is not None:
            raise ValueError(
                "fit: validation and validation_split must not both be given; got both: leave out "
                "one"
            )
        (x, y, sample_weight), validation = split(x, y, sample_weight, validation_split)
    if x is not None and not is_loader(x):
        check_samples("fit", x, y)
        check_targets(loss, y)
    backend = backend_of(net)
    asked = distributed
    if not isinstance(distributed, Group):  # TensorFlow must know of it before its first operation
        distributed = backend.join(distributed)
    source = source_of(
        backend,
        device_of_variables(all_variables(net, "fit")),
        x,
        y,
        sample_weight,
        batch_size=batch_size,
        seed=seed,
        epochs=epochs,
        accumulate=accumulate,
        class_weight=class_weight,
        loss=loss,
    )
    build_by(net, source)
    if asked == "auto" and distributed is None:
        distributed = backend.devices_of(net)
    schedule = schedule_meant(schedule, source.steps)
    trainer = Trainer(
        net,
        optimizer,
        loss,
        metrics=watched,
        schedule=schedule,
        clip=clip,
        accumulate=accumulate,
        groups=groups,
        precision=precision,
        average=average,
        distributed=distributed,
    )
    return Loop(
        trainer,
        source,
        epochs=epochs,
        validate=None if validation is None else validating(trainer, validation, watched),
        metrics=watched,
        callbacks=called,
        schedule=schedule,
        seed=seed,
        progress=progress,
    ).run()


def callbacks_meant(
    callbacks: Sequence[Callback], checkpoint: str | PathLike[str] | Checkpoint | None
) -> list[Callback]:
    """The callbacks, and the checkpoint as one of them.

    Raises:
        TypeError: for what is none.
        ValueError: when there are two checkpoints.
    """
    if isinstance(callbacks, Callback):
        raise TypeError(
            f"fit: callbacks must be a list; got a {type(callbacks).__name__}: write callbacks=[…]"
        )
    found = list(callbacks)
    for callback in found:
        if isinstance(callback, type) and issubclass(callback, Callback):
            raise TypeError(
                "fit: each callback must be an instance; got the class "
                f"{callback.__name__}: call it, {callback.__name__}()"
            )
        if not isinstance(callback, Callback):
            raise TypeError(
                f"fit: each callback must be a ub.Callback; got {shown(callback)}: derive a class "
                "from ub.Callback, with the methods begin, step, epoch or end"
            )
    if checkpoint is not None:
        kept = checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint)
        found.append(kept)
    if sum(isinstance(callback, Checkpoint) for callback in found) > 1:
        raise ValueError("fit: there must be one checkpoint; got several: leave out all but one")
    return found
