"""`Measuring`: the loss and metrics of a model on data, in inference mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from unified_blocks import ops
from unified_blocks.backend import Loss
from unified_blocks.backend.tensors import numbers_of
from unified_blocks.dtypes import any_dtype_name
from unified_blocks.training.data.batches import Batch, first_of, mapped
from unified_blocks.training.losses import apply_loss
from unified_blocks.training.watching.metrics import Metric
from unified_blocks.training.watching.outputs import Outputs

HALF = ("float16", "bfloat16")


class Measuring(Outputs):
    """Measures the loss and metrics of a model on batches, as often as one likes.

    Args:
        net: a built model of any framework.
        loss: as `Trainer` takes it; None for none.
        metrics: what is measured besides.
        where: the function that measures, for messages.

    Raises:
        NotBuiltError: when a parameter does not exist yet.
    """

    def __init__(
        self, net: Any, loss: Loss | None, metrics: Sequence[Metric], where: str = "evaluate"
    ) -> None:
        super().__init__(net, where)
        self.loss, self.metrics = loss, tuple(metrics)
        if callable(loss) or not all(metric.of_outputs for metric in metrics):
            self.key = None
        else:
            self.key = (loss, *(repr(metric) for metric in metrics))
        self.names = ["loss"] * (loss is not None) + [metric.name for metric in metrics]

    @cached_property
    def plain(self) -> Callable[..., Any]:
        return self.backend.loss_function(self.loss)  # type: ignore[arg-type]

    @cached_property
    def weighted(self) -> Callable[..., Any]:
        return self.backend.weighted_loss(self.loss)  # type: ignore[arg-type]

    def of(self, x: Any, y: Any, w: Any) -> Any:
        """The numbers of a batch and, when its samples have weights, their sum: a tensor."""
        output = super().of(x, y, w)
        if self.mixed:
            output = mapped(self.wide, output)
        values = [metric(output, y, w) for metric in self.metrics]
        if self.loss is not None:
            unweighted = w is None
            loss = apply_loss(self.plain, output, y) if unweighted else self.weighted(output, y, w)
            values.insert(0, loss)
        values = [ops.reshape(value, ()) if len(value.shape) else value for value in values]
        values += [] if w is None else [ops.sum(ops.astype(w, "float64"))]
        if len(values) > 1 and any(value.dtype != values[0].dtype for value in values):
            values = [ops.astype(value, "float64") for value in values]
        return ops.stack(values)

    def wide(self, output: Any) -> Any:
        """An output in the dtype of the parameters, if it was computed in half of that."""
        half = self.mixed and any_dtype_name(output.dtype) in HALF
        return ops.astype(output, "float32") if half else output

    def means(
        self,
        batches: Iterable[Batch],
        repeated: bool = False,
        told: Callable[[int], None] = lambda samples: None,
    ) -> dict[str, float]:
        """The means over all batches, by name, with one read at the end.

        Args:
            batches: at least one.
            repeated: see `Outputs.each`.
            told: is called with how many samples there were, after each batch.

        Raises:
            ValueError: for no batches.
        """
        sizes: list[int] = []
        values: list[Any] = []
        is_weighted = False

        def counted(batches: Iterable[Batch]) -> Iterable[Batch]:
            nonlocal is_weighted
            for batch in batches:
                sizes.append(first_of(batch[0]).shape[0])
                is_weighted = batch[2] is not None
                yield batch

        def then(value: Any) -> None:
            values.append(value)
            told(sizes[len(values) - 1])

        self.each(counted(batches), then, repeated)
        if not values:
            raise ValueError("evaluate: there must be a batch at least; got none")
        with self.backend.inferring(self.net):
            every = values[0] if len(values) == 1 else ops.stack(values)
            found = np.atleast_2d(numbers_of(self.backend, every)[0]).astype("float64")
        masses = found[:, -1] if is_weighted else np.array(sizes, "float64")
        if len(found) == 1:
            means = found[0]
        elif not masses.any():
            means = found.mean(axis=0)
        else:
            means = np.average(found, axis=0, weights=masses)
        if self.loss == "sum":  # it is no mean
            means[0] = found[:, 0].sum()
        return dict(zip(self.names, map(float, means), strict=False))
