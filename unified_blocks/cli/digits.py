"""The handwritten digits that scikit-learn ships, and the networks that learn to read them."""

from __future__ import annotations

import numpy as np

from unified_blocks.blocks import MLP, MySequential
from unified_blocks.cli.learning import Data, Learner
from unified_blocks.layers import Conv2D, Dense, Flatten
from unified_blocks.training.optimizers import SGD

SEED = 0
TEST_IMAGES = 360


def load_digits() -> Data:
    """The 1,797 images as rows of 64 numbers in [0, 1], in a fixed split.

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
    return Data(
        images[TEST_IMAGES:], labels[TEST_IMAGES:], images[:TEST_IMAGES], labels[:TEST_IMAGES]
    )


def as_images() -> Data:
    """The same as images `(n, 1, 8, 8)`."""
    return load_digits().reshaped((1, 8, 8))


def lenet() -> MySequential:
    """LeNet, for images of 8 × 8: two convolutions and three dense layers.

    Steps of 2 take the place of pools, as in the first LeNet (LeCun et al., 1989). A maximum of two
    numbers that are nearly the same is one of them or the other by a rounding: in float32 curves
    with `MaxPool2D` part there.
    """
    return MySequential(
        *(Conv2D(16, 3, 2, 1, activation="tanh"), Conv2D(32, 3, 2, 1, activation="tanh")),
        *(Flatten(), Dense(120, activation="tanh"), Dense(84, activation="tanh"), Dense(10)),
    )


READ_BY_MLP = Learner(
    "MLP(256, 10) on 1,437 handwritten digits",
    load_digits,
    lambda: MLP(256, 10),
    SGD(learning_rate=0.125, momentum=0.875),
    epochs=20,
    least_accuracy=0.97,
)
READ_BY_LENET = Learner(
    "LeNet on 1,437 handwritten digits",
    as_images,
    lenet,
    SGD(learning_rate=0.0625, momentum=0.75),
    epochs=20,
    least_accuracy=0.985,
)
