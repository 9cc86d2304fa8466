"""`evaluate`: the loss and metrics of a model on some data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unified_blocks.backend import Loss
from unified_blocks.training.data.arrays import check_samples
from unified_blocks.training.data.stream import is_loader
from unified_blocks.training.losses import check_targets
from unified_blocks.training.watching.measuring import Measuring
from unified_blocks.training.watching.metrics import Metric, metrics_meant
from unified_blocks.training.watching.outputs import batches_of
from unified_blocks.training.watching.progress import samples_bar
from unified_blocks.training.words import loss_meant


def evaluate(
    net: Any,
    x: Any,
    y: Any = None,
    *,
    loss: Loss | None = None,
    metrics: Sequence[str | Metric | Callable[..., Any]] = (),
    sample_weight: Any = None,
    batch_size: int | None = None,
    progress: bool = False,
) -> dict[str, float]:
    """The loss and the metrics of a model, in inference mode.

    They are means over the samples, however they lie in batches: each batch counts by how many it
    has or, with weights, by their sum. The loss `"sum"` is no mean, but the sum of all. The device
    is waited for once, at the end.

    Args:
        net: a built model of any framework.
        x, y: inputs and targets, as `fit` takes them.
        loss: as `Trainer` takes it; left out, no loss is measured.
        metrics: as `fit` takes them.
        sample_weight: a weight for each sample, `(n,)`, none below 0.
        batch_size: how many samples to run at once; left out, at most 8192. Of a loader it is the
            loader's.
        progress: whether to draw a bar; only in a terminal, and where Rich is installed.

    Returns:
        The numbers by name: `{"loss": …, "accuracy": …}`.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        TypeError: another framework's tensor, or a metric that is none.
        ValueError: nothing to measure, no samples, an unknown loss or metric, targets that they do
            not take, weights that are none, or a batch size beside a loader.

    Example::

        net = ub.build(ub.MLP(16, 4), (8, 2))
        x, y = np.ones((8, 2), "float32"), np.arange(8) % 4
        ub.evaluate(net, x, y, loss="cross_entropy", metrics=["accuracy"])["accuracy"]  # 0.25
    """
    meant = metrics_meant(metrics)
    if loss is None and not meant:
        raise ValueError(
            "evaluate: loss or metrics must say what to measure; got neither: give loss='mse', or "
            "another loss"
        )
    if loss is not None:
        loss = loss_meant(loss)
    if not is_loader(x):
        check_samples("evaluate", x, y)
        if loss is not None:
            check_targets(loss, y)
    measuring = Measuring(net, loss, meant)
    data = (x, y, sample_weight)
    batches = batches_of("evaluate", measuring, data, batch_size)
    with samples_bar("evaluate", x, progress) as told:
        return measuring.means(batches, told=told)
