"""`evaluate`: the loss and metrics of a model on some data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unified_blocks.backend import Loss
from unified_blocks.backend.tensors import backend_of
from unified_blocks.models.variables import all_built, device_of_variables
from unified_blocks.training.gradients import native_batch
from unified_blocks.training.losses import apply_loss, check_targets
from unified_blocks.training.watching.metrics import Metric
from unified_blocks.training.words import loss_meant, must_be_left_out


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

    Args:
        net: a built model of any framework.
        x, y: inputs and targets, NumPy arrays or tensors of that framework, samples first.
        loss: as `Trainer` takes it; left out, no loss is measured.
        metrics: as `fit` takes them; none in this version.
        sample_weight: a weight for each sample, `(n,)`; must be left out in this version.
        batch_size: how many samples to run at once; left out, all, as it must be in this version.
        progress: whether to draw a bar; not in this version.

    Returns:
        The numbers by name: `{"loss": …}`.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
        TypeError: another framework's tensor.
        ValueError: nothing to measure, an unknown loss, or targets that it does not take.
        UnsupportedError: an argument that this version has no rule for.

    Example::

        ub.evaluate(net, x, y, loss="mse")["loss"]
    """
    must_be_left_out(
        "evaluate",
        metrics=(metrics, (), []),
        sample_weight=(sample_weight, None),
        batch_size=(batch_size, None),
        progress=(progress, False),
    )
    if loss is None:
        raise ValueError(
            "evaluate: loss or metrics must say what to measure; got neither: give loss='mse', or "
            "another loss"
        )
    loss = loss_meant(loss)
    check_targets(loss, y)
    return {"loss": loss_on(net, x, y, loss=loss)}


def loss_on(net: Any, x: Any, y: Any, *, loss: Loss) -> float:
    """The loss of `net` on `x` and `y`, in inference mode.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
    """
    backend = backend_of(net)
    device = device_of_variables(all_built(net, "evaluate"))
    output = backend.run(net, [native_batch(backend, x, device)])
    y = None if y is None else native_batch(backend, y, device)
    with backend.inferring(net):
        value = apply_loss(backend.loss_function(loss), output, y)
    return float(backend.to_numpy(value))
