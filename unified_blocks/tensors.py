"""Tensors of any framework: whose they are, and the way to and from NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.backend import Backend
from unified_blocks.registry import ALIASES, get_backend, load_backend, registered_backends
from unified_blocks.types import Array


def owner_of(value: Any) -> str | None:
    """The name of the backend whose framework `value` belongs to, or None.

    A backend is named after its framework's import package, so the class's modules tell; nothing
    is imported.
    """
    return owner_of_class(type(value))


def owner_of_class(cls: type[Any]) -> str | None:
    """The name of the backend whose framework `cls` belongs to or extends, or None."""
    names = registered_backends()
    for base in cls.__mro__:
        root = base.__module__.partition(".")[0]
        root = ALIASES.get(root, root)
        if root in names:
            return root
    return None


def backend_of(value: Any) -> Backend:
    """The backend of a tensor or a model: ours or native.

    Raises:
        TypeError: when it belongs to no registered framework.
    """
    name = owner_of(value)
    if name is None:
        known = ", ".join(registered_backends())
        raise TypeError(
            f"backend_of must be given a tensor or a model of {known}; "
            f"got {type(value).__module__}.{type(value).__qualname__}"
        )
    return load_backend(name)


def from_numpy(a: Any, backend: str | None = None, *, device: str | None = None) -> Any:
    """A framework's tensor with the numbers and dtype of `a`.

    Args:
        a: a NumPy array, or what `numpy.asarray` takes.
        backend: a backend's name; left out, the default one.
        device: `"cpu"`, `"gpu:0"`, …; left out, where the framework puts new tensors.

    Raises:
        UnknownBackendError, BackendImportError: as `set_backend`.
    """
    return get_backend(backend).from_numpy(np.asarray(a, order="C"), device)


def to_numpy(t: Any) -> Array:
    """A NumPy array with the numbers and dtype of a framework's tensor; an array passes through.

    Raises:
        TypeError: when `t` is neither.
    """
    if isinstance(t, np.ndarray):
        return t
    return backend_of(t).to_numpy(t)


def as_tensor(t: Any, backend: str) -> Any:
    """A tensor of the named backend with the numbers and dtype of a tensor of any framework.

    One that is already of that backend is returned as it is.

    Raises:
        TypeError: when `t` is neither a tensor nor an array.
    """
    target = load_backend(backend)
    return t if target.is_tensor(t) else target.from_numpy(to_numpy(t))
