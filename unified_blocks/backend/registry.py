"""Which backends exist, whose a tensor is by its class, and which backend is the default.

Adapters declare all this in the entry points of their packages; the three that come with this
package do it in the same way as any other. An entry is a name and a value, in one of four groups:

    unified_blocks.backends     the import name of the framework = where its `Backend` object is
    unified_blocks.aliases      another name for a backend = the backend
    unified_blocks.tensors      an import package = the backend that its tensors belong to
    unified_blocks.preference   a number = the backend; the smallest installed is the default

The third is for a framework whose tensors or layers come from a package that is not named as the
framework is, as `jaxlib` is for JAX. A backend without a number comes after those with one.

The default is found in this order: `set_backend` or `use_backend` in the current context (a
thread or an async task), the environment variable `UNIFIED_BLOCKS_BACKEND`, the preferred
one of those that are installed.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from unified_blocks.errors import BackendImportError, UnknownBackendError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from unified_blocks.backend.backend import Backend

GROUP = "unified_blocks.backends"
ENVIRONMENT_VARIABLE = "UNIFIED_BLOCKS_BACKEND"

default_backend: ContextVar[str | None] = ContextVar("unified_blocks_backend", default=None)


@cache
def declared(group: str) -> Mapping[str, EntryPoint]:
    """The entry points of a group by name."""
    from importlib.metadata import entry_points  # slow, and often not needed

    return {entry.name: entry for entry in entry_points(group=group)}


@cache
def registered_backends() -> dict[str, EntryPoint]:
    """The entry point of every registered backend by name, in order of preference."""
    found = declared(GROUP)
    numbers = declared("unified_blocks.preference")
    preferred = [numbers[number].value for number in sorted(numbers, key=float)]
    first = [name for name in dict.fromkeys(preferred) if name in found]
    return {name: found[name] for name in (*first, *sorted(found.keys() - set(first)))}


def aliases() -> dict[str, str]:
    """The backend behind each other name of one, in order of preference, short names first."""
    order = list(registered_backends())
    found = {name: entry.value for name, entry in declared("unified_blocks.aliases").items()}
    known = [name for name in found if found[name] in order]
    return {
        name: found[name]
        for name in sorted(known, key=lambda name: (order.index(found[name]), len(name), name))
    }


def owner_of(value: Any) -> str | None:
    """The name of the backend whose framework `value` belongs to, or None. Imports nothing."""
    return owner_of_class(type(value))


def owner_of_class(cls: type[Any]) -> str | None:
    """The name of the backend whose framework `cls` belongs to or extends, or None."""
    return next(filter(None, (owner_of_module(base.__module__) for base in cls.__mro__)), None)


def owner_of_module(module: str) -> str | None:
    """The name of the backend to whose framework the module of this name belongs, or None."""
    root, packages = module.partition(".")[0], declared("unified_blocks.tensors")
    name = packages[root].value if root in packages else root
    return name if name in registered_backends() else None


def available_backends() -> list[str]:
    """The names of the backends whose framework is installed. Imports none of them.

    Example::

        for name in ub.available_backends():
            print(name, ub.get_backend(name).version)
    """
    return [name for name in registered_backends() if _is_installed(name)]


def resolve_name(name: str) -> str:
    """The registered name behind `name`, which may be an alias, in any case.

    Raises:
        UnknownBackendError: (a `ValueError`) lists the valid names and the nearest one.
    """
    lowered = name.lower() if isinstance(name, str) else ""
    names = registered_backends()
    if lowered in names:
        return lowered
    others = aliases()
    if lowered in others:
        return others[lowered]
    import difflib

    close = difflib.get_close_matches(lowered, [*names, *others], n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise UnknownBackendError(
        f"backend must be one of {', '.join(names)} (or {', '.join(others)}); got {name!r}{hint}"
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
        command = getattr(error, "command", "") or install_command(name)
        raise BackendImportError(
            f"backend {name!r} {problem}: {command}", name=name, command=command
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
    return _first_installed(_what_can_be_imported())


@lru_cache(maxsize=1)
def _first_installed(importable: Any) -> str:
    """The preferred one of the backends that are installed, looked for once.

    Args:
        importable: a value that changes when the set of importable packages changes.
    """
    installed = available_backends()
    if not installed:
        commands = " or ".join(install_command(name) for name in registered_backends())
        raise BackendImportError(f"no framework is installed; run: {commands}")
    return installed[0]


def _what_can_be_imported() -> Any:
    """A value that changes when the set of packages that can be imported changes."""
    names = registered_backends()
    hidden = tuple(name for name in names if sys.modules.get(name, names) is None)
    return tuple(names), hidden, tuple(map(id, sys.meta_path)), tuple(map(_changed, sys.path))


def _changed(folder: str) -> tuple[str, int]:
    """A folder in which packages are looked for, and when its content last changed."""
    try:
        return folder, os.stat(folder or ".").st_mtime_ns  # noqa: PTH116  # asked at each default
    except OSError:  # there is none, or it is a zip file that was taken away
        return folder, 0


def get_backend(name: str | None = None) -> Backend:
    """The backend called `name`, or the default one of the current context.

    Raises:
        UnknownBackendError: when `name`, or the environment variable, names no backend.
        BackendImportError: when the framework is missing or fails to import.

    Example::

        backend = ub.get_backend()  # the default one
        backend.name, backend.title, backend.devices()
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
        net = ub.MLP()  # a gluon.Block
        ub.backend_of(net).name  # 'mxnet'
    """
    default_backend.set(load_backend(name).name)


@contextmanager
def use_backend(name: str) -> Iterator[Backend]:
    """Make `name` the default inside the `with`, in the current thread or async task.

    Raises: as `set_backend`.

    Example::

        with ub.use_backend("torch"):
            net = ub.MLP()  # a torch.nn.Module
        ub.backend_of(net).name  # 'torch'
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


_in_command = False


def begin_command() -> None:
    """Declare that this process only runs a command of this library.

    An adapter that is imported from now on may set environment variables that its framework reads
    only at import: to print less, and to leave memory to other processes.
    """
    global _in_command
    _in_command = True


def in_command() -> bool:
    """Whether this process only runs a command of this library."""
    return _in_command
