"""The same network learns handwritten digits on every framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from unified_blocks.backend.registry import use_backend
from unified_blocks.blocks import MLP
from unified_blocks.dtypes import use_dtype
from unified_blocks.models.initialization import initialize
from unified_blocks.models.placement import to_device
from unified_blocks.models.state import build
from unified_blocks.training.fit import fit
from unified_blocks.training.optimizers import SGD
from unified_blocks.types import Array

EPOCHS = 20
BATCH_SIZE = 32
OPTIMIZER = SGD(learning_rate=0.125, momentum=0.875)
SEED = 0
TEST_IMAGES = 360
LEAST_ACCURACY = 0.97
CURVE_TOLERANCES = {"float64": 1e-9, "float32": 1e-4}
"""The largest relative difference between two backends' losses of the same epoch."""


@dataclass(frozen=True)
class Digits:
    """Images as rows of 64 numbers in [0, 1], and the digit that each shows."""

    train_images: Array  # (1437, 64)
    train_labels: Array  # (1437,)
    test_images: Array  # (360, 64)
    test_labels: Array  # (360,)


@dataclass(frozen=True)
class Training:
    """The result of one backend: the loss of each epoch, and the accuracy on the test images."""

    backend: str
    dtype: str
    losses: list[float]
    accuracy: float

    @property
    def ok(self) -> bool:
        return self.accuracy >= LEAST_ACCURACY


def load_digits() -> Digits:
    """The 1,797 images that scikit-learn ships, in a fixed split.

    They are the test set of the UCI "Optical Recognition of Handwritten Digits" data.

    Raises:
        ImportError: when scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits as load
    except ImportError as error:
        raise ImportError(
            "the digits come with scikit-learn, which is not installed; "
            'run: pip install "unified-blocks[demo]"'
        ) from error
    images, labels = load(return_X_y=True)
    order = np.random.Generator(np.random.PCG64(SEED)).permutation(len(images))
    images, labels = images[order] / 16, labels[order].astype(np.int64)
    return Digits(
        images[TEST_IMAGES:], labels[TEST_IMAGES:], images[:TEST_IMAGES], labels[:TEST_IMAGES]
    )


def train(digits: Digits, backend: str, dtype: str) -> Training:
    """Train `MLP(256, 10)` on one backend."""
    with use_backend(backend) as framework, use_dtype(dtype):
        net = MLP(256, 10)
    build(net, (1, digits.train_images.shape[1]))
    net = to_device(initialize(net, SEED), "cpu")
    history = fit(
        net,
        digits.train_images.astype(dtype),
        digits.train_labels,
        loss="cross_entropy",
        optimizer=OPTIMIZER,
        epochs=EPOCHS,
        batch_size=BATCH_SIZE,
        seed=SEED,
        progress=False,
    )
    images = framework.from_numpy(digits.test_images.astype(dtype), "cpu")
    logits = framework.to_numpy(framework.run(net, [images]))
    accuracy = float((logits.argmax(axis=1) == digits.test_labels).mean())
    return Training(backend, dtype, history.loss, accuracy)


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
