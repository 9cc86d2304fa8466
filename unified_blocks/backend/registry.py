"""Which backends exist, and which one is the default.

A backend registers through the entry-point group `unified_blocks.backends`: the entry's name is
the import name of its framework (`torch`), its value a `Backend` object. The three that come
with this package register exactly as anyone else's would.

The default is found in this order: `set_backend` or `use_backend` in the current context (a
thread or an async task), the environment variable `UNIFIED_BLOCKS_BACKEND`, the first installed
one of `PREFERENCE`, any other installed one.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

from unified_blocks.errors import BackendImportError, UnknownBackendError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from unified_blocks.backend.backend import Backend

GROUP = "unified_blocks.backends"
ENVIRONMENT_VARIABLE = "UNIFIED_BLOCKS_BACKEND"
PREFERENCE = ("torch", "tensorflow", "mxnet")
ALIASES = {"pytorch": "torch", "tf": "tensorflow", "keras": "tensorflow", "gluon": "mxnet"}

default_backend: ContextVar[str | None] = ContextVar("unified_blocks_backend", default=None)


@cache
def registered_backends() -> dict[str, EntryPoint]:
    """The entry point of every registered backend by name, in order of preference."""
    from importlib.metadata import entry_points  # slow, and often not needed

    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    preferred = [name for name in PREFERENCE if name in found]
    return {name: found[name] for name in (*preferred, *sorted(found.keys() - set(preferred)))}


def available_backends() -> list[str]:
    """The names of the backends whose framework is installed. Imports none of them."""
    return [name for name in registered_backends() if _is_installed(name)]


def resolve_name(name: str) -> str:
    """The registered name behind `name`, which may be an alias, in any case.

    Raises:
        UnknownBackendError: (a `ValueError`) lists the valid names and the nearest one.
    """
    lowered = name.lower() if isinstance(name, str) else ""
    resolved = ALIASES.get(lowered, lowered)
    names = registered_backends()
    if resolved in names:
        return resolved
    import difflib

    aliases = {alias: target for alias, target in ALIASES.items() if target in names}
    close = difflib.get_close_matches(lowered, [*names, *aliases], n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise UnknownBackendError(
        f"backend must be one of {', '.join(names)} (or {', '.join(aliases)}); got {name!r}{hint}"
    )


def load_backend(name: str) -> Backend:
    """The backend called `name`, imported if it was not yet.

    Raises:
        UnknownBackendError: when no backend has this name.
        BackendImportError: (an `ImportError`) when its framework is missing or fails to import;
            chained to the cause.
    """
    name = resolve_name(name)
    entry = registered_backends()[name]
    try:
        backend: Backend = entry.load()
    except Exception as error:  # a broken framework can fail at import in any way
        problem = (
            f"is installed but cannot be imported ({type(error).__name__}: {error}); "
            "to reinstall it, run"
            if _is_installed(name)
            else "needs its framework, which is not installed; run"
        )
        raise BackendImportError(
            f"backend {name!r} {problem}: {install_command(name)}", name=name
        ) from error
    return backend


def install_command(name: str) -> str:
    """The command that installs the framework of the registered backend `name`."""
    distribution = registered_backends()[name].dist
    package = distribution.name if distribution else "unified-blocks"
    return f'pip install "{package}[{name}]"'


def default_name() -> str:
    """The name of the default backend here and now.

    Raises:
        UnknownBackendError: when the environment variable names no backend.
        BackendImportError: when no framework is installed.
    """
    chosen = default_backend.get()
    if chosen is not None:
        return chosen
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        try:
            return resolve_name(named)
        except UnknownBackendError as error:
            raise UnknownBackendError(
                f"environment variable {ENVIRONMENT_VARIABLE}: {error}"
            ) from None
    installed = available_backends()
    if not installed:
        commands = " or ".join(install_command(name) for name in registered_backends())
        raise BackendImportError(f"no framework is installed; run: {commands}")
    return installed[0]


def get_backend(name: str | None = None) -> Backend:
    """The backend called `name`, or the default one of the current context.

    Raises:
        UnknownBackendError: when `name`, or the environment variable, names no backend.
        BackendImportError: when the framework is missing or fails to import.
    """
    return load_backend(default_name() if name is None else name)


def set_backend(name: str) -> None:
    """Make `name` the default for the current thread or async task.

    Objects that exist keep the backend they were made with. A name that cannot be used raises
    and changes nothing.

    Raises:
        UnknownBackendError: when no backend has this name.
        BackendImportError: when the framework is missing or fails to import.

    Example::

        ub.set_backend("mxnet")
        net = ub.MLP()          # a gluon.Block
    """
    default_backend.set(load_backend(name).name)


@contextmanager
def use_backend(name: str) -> Iterator[Backend]:
    """Make `name` the default inside the `with`, in the current thread or async task.

    Raises: as `set_backend`.

    Example::

        with ub.use_backend("torch"):
            net = ub.MLP()      # a torch.nn.Module
    """
    backend = load_backend(name)
    token = default_backend.set(backend.name)
    try:
        yield backend
    finally:
        default_backend.reset(token)


def _is_installed(name: str) -> bool:
    """Whether the framework's import package can be found, without importing it."""
    try:
        spec = importlib.util.find_spec(name)
        return spec is not None and spec.origin is not None  # a mere folder has no origin
    except ValueError:  # a module without a spec, put into sys.modules by hand, is there
        return True
