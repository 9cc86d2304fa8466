"""The data on which a training is measured after each epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unified_blocks.training.data.arrays import check_samples
from unified_blocks.training.data.batches import mapped, tensors_in
from unified_blocks.training.data.stream import is_loader
from unified_blocks.training.data.weights import checked_weights
from unified_blocks.training.gradients import native_batch
from unified_blocks.training.losses import check_targets
from unified_blocks.training.trainer import Trainer
from unified_blocks.training.watching.measuring import Measuring
from unified_blocks.training.watching.metrics import Metric
from unified_blocks.training.watching.outputs import batches_of


def split(x: Any, y: Any, w: Any, fraction: float) -> tuple[Any, Any]:
    """The samples to train on, and the last ones, to measure on: each `(x, y, weights)`.

    Of n samples the first `floor(n (1 - fraction))` are trained on.

    Raises:
        ValueError: a fraction that leaves no sample to train on or none to measure on.
        TypeError: data that is not in memory, of which there is no last part.
    """
    if not 0 < fraction < 1:
        raise ValueError(
            f"fit: validation_split must be at least 0 and below 1; got validation_split={fraction}"
        )
    parts = [] if is_loader(x) else list(tensors_in(x))
    if not parts or not all(hasattr(part, "shape") for part in parts):
        raise TypeError(
            f"fit: with validation_split x must be arrays; got a {type(x).__name__}: give "
            "validation=(x, y), or a loader"
        )
    samples = len(parts[0])
    kept = int(samples * (1 - fraction))
    if not 0 < kept < samples:
        raise ValueError(
            "fit: validation_split must leave samples to train on and to measure on; got "
            f"validation_split={fraction} of {samples}, of which {kept} are left to train on"
        )
    data = (x, y, w)
    return mapped(lambda array: array[:kept], data), mapped(lambda array: array[kept:], data)


def validating(
    trainer: Trainer, validation: Any, metrics: Sequence[Metric]
) -> Callable[[], dict[str, float]]:
    """A function that measures the loss and the metrics on validation data.

    Args:
        trainer: whose network and loss it is.
        validation: `(x, y)`, `(x, y, weights)`, or a loader.
        metrics: what is measured besides.

    Raises:
        TypeError: when it is none of them.
        ValueError: targets that the loss does not take, another number of them or of weights than
            of inputs, or weights that are below 0 or not finite.
    """
    if isinstance(validation, tuple) or not is_loader(validation):
        if not isinstance(validation, (tuple, list)) or len(validation) not in (2, 3):
            got = f"a {type(validation).__name__}"
            if isinstance(validation, (tuple, list)):
                got += f" of {len(validation)}"
            raise TypeError(
                "fit: validation must be (x, y), (x, y, sample_weight) or a loader; got "
                f"{got}: write validation=(x, y)"
            )
        x, y, *w = validation
        samples = check_samples("fit", x, y)
        check_targets(trainer.loss, y)
        if w and w[0] is not None:
            checked_weights("fit", w[0], samples)
        x, y, w = (
            mapped(lambda array: native_batch(trainer.backend, array, trainer.device), part)
            for part in (x, y, w[0] if w else None)
        )
    else:
        x, y, w = validation, None, None
    measuring = Measuring(trainer.net, trainer.loss, metrics, "fit")
    return lambda: measuring.means(batches_of("fit", measuring, (x, y, w)), repeated=True)
