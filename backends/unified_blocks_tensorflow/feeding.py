"""Batches for TensorFlow: from its own loaders, and of tensors of other frameworks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import keras
import tensorflow as tf

from unified_blocks.backend import Batch
from unified_blocks.backend.tensors import as_tensor
from unified_blocks_tensorflow.variables import device_name


class InParts:
    """A `keras.utils.PyDataset`, whose batches have numbers, as what gives them one by one."""

    def __init__(self, dataset: keras.utils.PyDataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        if (length := self.dataset.num_batches) is None:
            raise TypeError(
                "a keras.utils.PyDataset must have a length, for an epoch is all of it; got a "
                f"{type(self.dataset).__name__} whose num_batches is None: give it a num_batches"
            )
        return int(length)

    def __iter__(self) -> Iterator[Any]:
        self.dataset.on_epoch_begin()
        for i in range(len(self)):
            yield self.dataset[i]
        self.dataset.on_epoch_end()


def loader_of(value: Any) -> Iterable[Batch] | None:
    """See `Backend.loader_of`."""
    if isinstance(value, keras.utils.PyDataset):
        return InParts(value)
    if not isinstance(value, tf.data.Dataset):
        return None
    if value.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "data must have an end, for an epoch is all of it; got a tf.data.Dataset that repeats "
            "for ever: give dataset.take(batches), or leave out repeat()"
        )
    batches: Iterable[Batch] = value
    return batches


def taken(tensor: Any, device: str | None = None) -> Any:
    """See `Backend.taken`."""
    if isinstance(tensor, (tf.RaggedTensor, tf.SparseTensor)):
        raise TypeError(
            f"a batch must be of tensors with all their numbers; got a {type(tensor).__name__}: "
            "use .to_tensor() of a ragged one, tf.sparse.to_dense of a sparse one"
        )
    found = as_tensor(tensor, "tensorflow")
    if device is None or device_name(found.device) == device:
        return found
    with tf.device(device):
        return tf.identity(found)
