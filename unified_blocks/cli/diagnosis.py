"""The state of each backend on this machine, with known problems."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from unified_blocks.backend.registry import (
    available_backends,
    default_name,
    install_command,
    load_backend,
    registered_backends,
)
from unified_blocks.errors import BackendImportError, UnknownBackendError
from unified_blocks.version import __version__


@dataclass(frozen=True)
class Diagnosis:
    """One backend here.

    Attributes:
        version, devices, note: of a backend that works; see `Backend`.
        problem: why it does not work; empty when it does.
        remedy: the command that repairs it.
    """

    name: str
    title: str
    version: str = ""
    devices: list[str] = field(default_factory=list)
    note: str = ""
    problem: str = ""
    remedy: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem


def diagnose(name: str) -> Diagnosis:
    """The state of the registered backend called `name`."""
    problem, remedy = "not installed", install_command(name)
    try:
        backend = load_backend(name)
        if name in available_backends():
            return Diagnosis(name, backend.title, backend.version, backend.devices(), backend.note)
    except Exception as error:  # a broken framework or driver can raise anything
        remedy = getattr(error, "command", "") or remedy
        if name in available_backends():
            cause = error.__cause__ or error
            problem = f"installed, but does not work: {type(cause).__name__}: {cause}"
    return Diagnosis(name, name, problem=problem, remedy=remedy)


def diagnose_all(names: Sequence[str] = ()) -> list[Diagnosis]:
    """The state of the named backends, or of every registered one."""
    return [diagnose(name) for name in names or registered_backends()]


def default_backend() -> str:
    """The default backend's name, or why there is none."""
    try:
        name = default_name()
        return name if name in available_backends() else f"{name}, which is not installed"
    except (BackendImportError, UnknownBackendError) as error:
        return f"none: {error}"


def system() -> dict[str, str]:
    """The versions on which measured numbers depend."""
    return {
        "unified-blocks": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
    }
