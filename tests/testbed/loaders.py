"""Loaders of each framework, and networks of several inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from unified_blocks.backend.registry import load_backend


def of_torch(*arrays: Any, batch_size: int = 8) -> Any:
    from torch.utils.data import DataLoader, TensorDataset

    tensors = [ub.from_numpy(array, "torch", copy=True) for array in arrays]
    return DataLoader(TensorDataset(*tensors), batch_size=batch_size)


def of_tensorflow(*arrays: Any, batch_size: int = 8) -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size)


def of_mxnet(*arrays: Any, batch_size: int = 8) -> Any:
    load_backend("mxnet")
    from mxnet.gluon.data import ArrayDataset, DataLoader

    return DataLoader(ArrayDataset(*arrays), batch_size=batch_size)


LOADERS = {"torch": of_torch, "tensorflow": of_tensorflow, "mxnet": of_mxnet}
"""What makes a loader of arrays, in their order, by framework."""

HERE = [name for name in LOADERS if name in ub.available_backends()]
"""The frameworks whose loaders can be made here."""


def batches(*arrays: Any, batch_size: int = 8) -> list[tuple[Any, ...]]:
    """The same batches as those of the loaders, of NumPy arrays."""
    starts = range(0, len(arrays[0]), batch_size)
    return [tuple(array[i : i + batch_size] for array in arrays) for i in starts]


class Two(ub.Block):
    """A dense layer of each of two inputs, which are added up."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ub.Dense(4, in_units=6)
        self.second = ub.Dense(4, in_units=3, use_bias=False)

    def forward(self, X: Any, Z: Any) -> Any:
        return self.first(X) + self.second(Z) * 2


def two() -> Any:
    with ub.use_dtype("float64"):
        net = Two()
    return ub.initialize(net, 1)


def second_input() -> Any:
    return normal(40, 3, dtype="float64", seed=7)


def same_state(first: Any, second: Any, tolerance: float = 0.0) -> None:
    first, second = ub.state(first), ub.state(second)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_allclose(first[name], second[name], rtol=tolerance, atol=tolerance)
