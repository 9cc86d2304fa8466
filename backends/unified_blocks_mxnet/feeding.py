"""Batches for MXNet: from its own loaders, and of tensors of other frameworks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from unified_blocks.backend import Batch
from unified_blocks.backend.tensors import as_tensor
from unified_blocks_mxnet.compat import has_numpy_semantics, mx
from unified_blocks_mxnet.semantics import LEGACY, NUMPY

END = object()


class AsTheUserIs:
    """A loader that makes its batches under the semantics that are in force here and now.

    Training has NumPy's, and a loader of older arrays could not join those then.
    """

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.scope = (NUMPY if has_numpy_semantics() else LEGACY).scope

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        with self.scope():
            batches = iter(self.loader)
        while True:
            with self.scope():
                batch = next(batches, END)
            if batch is END:
                return
            yield batch


class Parts:
    """An `mx.io.DataIter`: its batches without the samples that fill up the last one."""

    def __init__(self, batches: Any) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[Any]:
        self.batches.reset()
        for batch in self.batches:
            yield tuple(
                None
                if not arrays
                else without(batch.pad, arrays[0])
                if len(arrays) == 1
                else tuple(without(batch.pad, array) for array in arrays)
                for arrays in (batch.data, batch.label)
            )


def without(pad: int | None, array: Any) -> Any:
    return array[: len(array) - pad] if pad else array


def loader_of(value: Any) -> Iterable[Batch] | None:
    """See `Backend.loader_of`."""
    if isinstance(value, mx.gluon.data.Dataset):
        raise TypeError(
            f"data must be in batches; got a {type(value).__name__}, which gives single samples: "
            "give mxnet.gluon.data.DataLoader(data, batch_size=32)"
        )
    if isinstance(value, mx.io.DataIter):
        return Parts(value)
    return AsTheUserIs(value) if isinstance(value, mx.gluon.data.DataLoader) else None


def taken(tensor: Any, device: str | None = None) -> Any:
    """See `Backend.taken`."""
    found = NUMPY.taken(tensor)
    found = as_tensor(found, "mxnet")
    return found if device is None else found.as_in_ctx(context_of(device))


def context_of(device: str) -> Any:
    kind, _, number = device.partition(":")
    return mx.Context(kind, int(number or 0))
