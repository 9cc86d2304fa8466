"""`fit`: epochs of training steps, in an order of batches that is the same on every framework."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

from unified_blocks.backend import Loss, Optimizer
from unified_blocks.backend.training_step import Clip, ParameterGroup
from unified_blocks.errors import UnsupportedError
from unified_blocks.training.callbacks import Callback
from unified_blocks.training.data.arrays import check_samples
from unified_blocks.training.data.sources import is_loader, source_of
from unified_blocks.training.data.weights import ClassWeight
from unified_blocks.training.history import History
from unified_blocks.training.loop import Loop
from unified_blocks.training.losses import check_targets
from unified_blocks.training.runs.checkpoint import Checkpoint
from unified_blocks.training.trainer import Trainer
from unified_blocks.training.watching.metrics import Metric
from unified_blocks.training.words import loss_meant, must_be_left_out
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
        net: a built model of any framework.
        x, y: inputs and targets, NumPy arrays or tensors of that framework, samples first; of a
            model that takes several inputs a tuple of them, or a dict by the names of its
            arguments. Or `x` is what gives batches `(x, y)` or `(x, y, sample_weight)`: a loader
            of any framework, a list or an iterable of them, or a function that makes an iterator
            for each epoch.
        loss, optimizer: as `Trainer` takes them.
        epochs: how many times to go through the samples.
        batch_size: how many samples to a step; of a loader it is the loader's.
        seed: of the order; a loader has its own.
        validation: `(x, y)` to measure the loss on after each epoch.
        progress: whether to draw a bar; only in a terminal, and where Rich is installed.
        callbacks: what is called while it trains, in this order; without `step` in this version.
        sample_weight: a weight for each sample, `(n,)`, none below 0; the loss is then
            `Σ wᵢ lᵢ / Σ wᵢ` of each batch, and batches count by the sum of their weights.
        class_weight: a weight for each label, `{label: weight}` or an array; a factor on
            `sample_weight`.
        validation_split, metrics, schedule, clip, accumulate, groups,
            precision, average, checkpoint, distributed: must be left out in this version.

    Returns:
        The losses, as numbers.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        TypeError: another framework's tensor, or another optimizer.
        ValueError: `x` and `y` of different lengths, no samples, a number below 1, or targets,
            of `validation` too, that the loss does not take.
        UnsupportedError: (a `TypeError`) an argument that this version has no rule for.

    Example::

        history = ub.fit(net, x, y, loss="mse", optimizer=ub.SGD(0.1), epochs=3)
    """
    must_be_left_out(
        "fit",
        validation_split=(validation_split, 0.0, 0),
        metrics=(metrics, (), []),
        schedule=(schedule, None),
        clip=(clip, None),
        accumulate=(accumulate, 1),
        groups=(groups, (), []),
        precision=(precision, None),
        average=(average, None),
        checkpoint=(checkpoint, None),
    )
    for name, number in (("epochs", epochs), ("batch_size", batch_size)):
        if number < 1:
            raise ValueError(f"fit: {name} must be at least 1; got {name}={number}")
    loss = loss_meant(loss)
    if not is_loader(x):
        check_samples("fit", x, y)
        check_targets(loss, y)
    if validation is not None:
        if not isinstance(validation, (tuple, list)) or len(validation) != 2:
            raise UnsupportedError(
                "fit: validation must be (x, y), because this version has no rule for weights or "
                f"loaders there; got a {type(validation).__name__}"
            )
        check_targets(loss, validation[1])
    trainer = Trainer(net, optimizer, loss, distributed=distributed)
    source = source_of(
        trainer.backend,
        trainer.device,
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
    return Loop(
        trainer,
        source,
        epochs=epochs,
        validation=validation,
        callbacks=callbacks,
        progress=progress,
    ).run()
