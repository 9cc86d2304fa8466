"""Tensors of any framework: whose they are, and the way from one to another and to NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from unified_blocks.backend.backend import Backend
from unified_blocks.backend.devices import device_meant
from unified_blocks.backend.dlpack import check_shareable, viewed
from unified_blocks.backend.registry import (
    get_backend,
    load_backend,
    owner_of,
    registered_backends,
)
from unified_blocks.dtypes import numpy_dtype
from unified_blocks.errors import SharingError
from unified_blocks.types import Array


def backend_of(value: Any) -> Backend:
    """The backend of a tensor or a model: ours or native.

    Raises:
        TypeError: when it belongs to no registered framework.

    Example::

        net = ub.MLP.on("torch")()
        ub.backend_of(net).title  # 'PyTorch'
    """
    name = owner_of(value)
    if name is None:
        known = ", ".join(registered_backends())
        raise TypeError(
            f"backend_of must be given a tensor or a model of {known}; "
            f"got {type(value).__module__}.{type(value).__qualname__}"
        )
    return load_backend(name)


def numbers_of(backend: Backend, tensor: Any) -> tuple[Array, str]:
    """A copy of the numbers of a tensor, those of bfloat16 in float32, and its own dtype."""
    dtype = backend.dtype_of(tensor)
    wide = numpy_dtype(dtype)
    return backend.to_numpy(tensor, None if wide == dtype else wide), dtype


def from_numpy(
    a: Any,
    backend: str | None = None,
    *,
    device: str | None = None,
    copy: bool | None = None,
) -> Any:
    """A framework's tensor with the numbers and dtype of `a`.

    Where the two can, they hold the same memory: what is written to one is then in the other.
    MXNet computes later than it is asked to, so that an array may be written to again only after
    `.asnumpy()` of what came of it; TensorFlow takes its tensors never to change, and variables
    made of one can hold its memory. docs/howto/tensors.md says when memory is shared.

    Args:
        a: a NumPy array, or what `numpy.asarray` takes.
        backend: a backend's name; left out, the default one.
        device: `"cpu"`, `"gpu:0"`, …; left out, where the framework puts new tensors.
        copy: True for numbers of its own, False for the same memory or an error; left out, the
            same memory where that can be.

    Raises:
        SharingError: (a `ValueError`) with `copy=False`, why it cannot be the same memory.
        UnknownBackendError, BackendImportError: as `set_backend`.

    Example::

        ub.from_numpy(np.arange(3.0))  # [0, 1, 2]
    """
    target, array = get_backend(backend), np.asarray(a)
    device = device and device_meant(device)

    def share() -> Any:
        if not isinstance(a, np.ndarray):
            raise SharingError(f"a {type(a).__name__}, which is no array")
        check_shareable(array)
        return target.imported(array, array, device)

    def copied() -> Any:
        return target.from_numpy(np.asarray(array, order="C"), device)

    return shared_or_copied(array, copy, share, copied)


def to_numpy(t: Any, *, copy: bool | None = None) -> Array:
    """A NumPy array with the numbers and dtype of a framework's tensor; an array passes through.

    Its numbers are computed, whatever the framework. Where the two can, they hold the same memory:
    such an array is read-only, keeps that memory alive, and shows what the framework writes there
    later. docs/howto/tensors.md says when that is so.

    Args:
        t: a tensor of any framework, or an array.
        copy: True for numbers of its own, False for the same memory or an error; left out, the
            same memory where that can be.

    Raises:
        SharingError: (a `ValueError`) with `copy=False`, why it cannot be the same memory.
        TypeError: when `t` is neither.

    Example::

        array = ub.to_numpy(ub.from_numpy([1.0, 2.0]))
        type(array).__name__, array.dtype.name  # ('ndarray', 'float64')
    """
    if isinstance(t, np.ndarray):
        return t.copy() if copy else t
    source = backend_of(t)
    return cast(
        Array,
        shared_or_copied(
            t, copy, lambda: viewed(source.exported(t, read_only=True)), lambda: source.to_numpy(t)
        ),
    )


def as_tensor(t: Any, backend: str, *, copy: bool | None = None) -> Any:
    """A tensor of the named backend with the numbers and dtype of a tensor of any framework.

    One that is already of that backend is returned as it is. Of another one the numbers are taken,
    without their gradient. Where the two can, they hold the same memory, as of `from_numpy`: never
    write to a tensor that came from TensorFlow so.

    Args:
        t: a tensor of any framework, or an array.
        backend: a backend's name.
        copy: True for numbers of its own, False for the same memory or an error; left out, the
            same memory where that can be.

    Raises:
        SharingError: (a `ValueError`) with `copy=False`, why it cannot be the same memory.
        TypeError: when `t` is neither a tensor nor an array.

    Example::

        x = ub.from_numpy([1.0, 2.0])
        y = ub.as_tensor(x, "torch")
        ub.backend_of(y).name, y.tolist()  # ('torch', [1, 2])
    """
    target = load_backend(backend)
    own = target.is_tensor(t)
    if own and not copy:
        return t
    if isinstance(t, np.ndarray) and not own:
        return from_numpy(t, backend, copy=copy)
    source = backend_of(t)

    def share() -> Any:
        exported = source.exported(t, read_only=False)
        array = viewed(exported)
        return target.imported(exported, array)

    def copied() -> Any:
        array, dtype = numbers_of(source, t)
        return target.from_numpy(array, source.device_of(t) if own else None, dtype)

    return shared_or_copied(t, copy, share, copied)


def shared_or_copied(
    value: Any, copy: bool | None, share: Callable[[], Any], copied: Callable[[], Any]
) -> Any:
    """What `copy` asks for: `share()`, which may raise `SharingError`, or `copied()`."""
    if copy:
        return copied()
    try:
        return share()
    except (SharingError, BufferError) as error:
        if copy is None or 0 in tuple(value.shape):  # of no numbers there is nothing to copy
            return copied()
        raise SharingError(
            f"with copy=False the numbers must stay in the same memory; got {error}: leave out "
            "copy=False for a copy"
        ) from error
