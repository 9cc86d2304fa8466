"""Metrics: means over samples of what a model gives, computed where it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from unified_blocks.errors import UnsupportedError
from unified_blocks.training.words import must_be_left_out


class Metric(ABC):
    """A number for a batch, that is watched and not learned.

    It is the mean over the samples, or with weights `Σ w m / Σ w`, so that the number of an epoch
    is that of all its samples, however they lie in batches. It is computed inside the training
    step, by `ub.ops`, and must not read a tensor.

    Attributes:
        name: what its curve is called.

    Example::

        class Largest(ub.Metric):
            name = "largest"

            def __call__(self, output, y, w=None):
                return ub.ops.mean(ub.ops.max(output, axis=-1))
    """

    name: str

    @abstractmethod
    def __call__(self, output: Any, y: Any, w: Any = None) -> Any:
        """The mean over a batch, a scalar tensor.

        Args:
            output: what the model gives.
            y: the targets.
            w: the weight of each sample, `(n,)`; None for ones.
        """


class TopK(Metric):
    """The share of samples whose label is among the `k` largest logits.

    It is when fewer than `k` logits are strictly larger than that of the label.

    Args:
        k: at least 1.

    Raises:
        UnsupportedError: always, in this version.
    """

    def __init__(self, k: int = 5) -> None:
        raise UnsupportedError(
            f"TopK: this version has no rule for metrics; got TopK({k}): compute it from "
            "ub.predict(net, x)"
        )

    def __call__(self, output: Any, y: Any, w: Any = None) -> Any:
        raise NotImplementedError


def metrics_meant(
    written: Sequence[str | Metric | Callable[..., Any]],
) -> tuple[Metric, ...]:
    """The metrics that are meant by names and functions of the output and the targets.

    Raises:
        UnsupportedError: for any, in this version.
    """
    must_be_left_out("metrics", metrics=(written, (), []))
    return ()
