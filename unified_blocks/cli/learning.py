"""The same network learns the same data on every framework."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from unified_blocks.backend.registry import use_backend
from unified_blocks.dtypes import use_dtype
from unified_blocks.models.initialization import initialize
from unified_blocks.models.placement import to_device
from unified_blocks.training.fit import fit
from unified_blocks.training.optimizers import SGD
from unified_blocks.types import Array, Shape

BATCH_SIZE = 32
SEED = 0
CURVE_TOLERANCES = {"float64": 1e-9, "float32": 1e-4}
"""The largest relative difference between two backends' losses of the same epoch."""


@dataclass(frozen=True)
class Data:
    """Samples and their classes, and others that nobody trains on."""

    inputs: Array
    labels: Array
    test_inputs: Array
    test_labels: Array

    def reshaped(self, shape: Shape) -> Data:
        """The same, each sample in another shape."""
        inputs, others = (x.reshape(-1, *shape) for x in (self.inputs, self.test_inputs))
        return Data(inputs, self.labels, others, self.test_labels)


@dataclass(frozen=True)
class Learner:
    """A network, what it learns, and how.

    Attributes:
        title: what is learned by what, in words.
        load: gives the data.
        make: makes the network, on the default backend in the default dtype.
        least_accuracy: that it must reach on what it was not trained on.
    """

    title: str
    load: Callable[[], Data]
    make: Callable[[], Any]
    optimizer: SGD
    epochs: int
    least_accuracy: float

    def train(self, backend: str, dtype: str) -> Training:
        """Train the network on one backend."""
        data = self.load()
        with use_backend(backend) as framework, use_dtype(dtype):
            net = self.make()
        inputs, others = (as_dtype(x, dtype) for x in (data.inputs, data.test_inputs))
        framework.run(net, [framework.from_numpy(inputs[:1], "cpu")])  # which builds it
        net = to_device(initialize(net, SEED), "cpu")
        history = fit(
            net,
            inputs,
            data.labels,
            loss="cross_entropy",
            optimizer=self.optimizer,
            epochs=self.epochs,
            batch_size=BATCH_SIZE,
            seed=SEED,
            progress=False,
        )
        logits = framework.to_numpy(framework.run(net, [framework.from_numpy(others, "cpu")]))
        accuracy = float((logits.argmax(axis=1) == data.test_labels).mean())
        enough = accuracy >= self.least_accuracy
        return Training(self.title, backend, dtype, history.loss, accuracy, enough)


@dataclass(frozen=True)
class Training:
    """The result of one backend: the loss of each epoch, and the accuracy on the test samples.

    Attributes:
        title: that of the learner.
        ok: whether the accuracy is what it must be.
    """

    title: str
    backend: str
    dtype: str
    losses: list[float]
    accuracy: float
    ok: bool


def as_dtype(array: Array, dtype: str) -> Array:
    """Floating-point numbers in a dtype; whole ones as they are."""
    return array.astype(dtype) if array.dtype.kind == "f" else array


def largest_difference(trainings: Sequence[Training]) -> float:
    """The largest relative difference between two trainings' losses of the same epoch.

    Infinite where a loss is not a number.
    """
    worst = 0.0
    for a, b in combinations(trainings, 2):
        p, q = np.array(a.losses), np.array(b.losses)
        relative = np.abs(p - q) / np.maximum(np.abs(p), np.abs(q))
        worst = max(worst, float(np.nan_to_num(relative, nan=np.inf).max()))
    return worst
