"""The pytest plug-in: tests that run on each backend and device.

| option | |
|---|---|
| `--backend=NAME` | run on this backend; may be repeated, or be a list: `--backend=torch,mxnet` |
| `--device=NAME` | run on `cpu`, on every `gpu`, or on `gpu:1`; as above |

A test that takes the fixture `backend_name` or `backend` runs once for each backend, on the CPU;
one that takes `device`, on each device of each. The backend is the default one during the test.
Tests on a backend that is not installed, or a GPU that is missing, are skipped with the reason. A
backend or device that an option names must be there; otherwise the run fails.

`@pytest.mark.capability("name")` skips a test on a backend that lacks one of
`unified_blocks.backend.capabilities.CAPABILITIES`, with the reason that the backend gives.
`assert_equivalent` is `ub.assert_equivalent`.

Where this library is installed, every run of pytest loads this module. So it imports nothing, and
does not affect a suite that uses none of these fixtures: a fixture of the same name in a
`conftest.py` overrides ours, and an option of the same name takes precedence over ours.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from unified_blocks.backend import Backend

TARGET = "_unified_blocks_target"
EVERY_DEVICE = "_unified_blocks_every_device"

pytest.register_assert_rewrite(
    "pytest_unified_blocks.backend_contract",
    "pytest_unified_blocks.block_contract",
    "pytest_unified_blocks.contracts",
)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Iterator[None]:
    """Add the options, after every `conftest.py` that may have options of the same names."""
    result = yield
    group = parser.getgroup("unified-blocks", "blocks on several backends")
    for option, what in (("backend", "the backends"), ("device", "the devices: cpu, gpu, gpu:1")):
        with suppress(argparse.ArgumentError):  # another plug-in has it
            group.addoption(
                f"--{option}",
                dest=f"unified_blocks_{option}",
                action="append",
                metavar="NAME",
                help=f"{what} to run on, and no others; may be repeated, or a list with commas",
            )
    return result


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "capability(name): skip on a backend that lacks this capability, with its reason",
    )
    for device in named(config, "device") or ():
        kind, _, index = device.partition(":")
        if kind not in ("cpu", "gpu") or (index and (kind, index.isdecimal()) != ("gpu", True)):
            raise pytest.UsageError(
                f"--device must be cpu, gpu for every GPU, or gpu:0, gpu:1, …; got {device!r}"
            )
    if named(config, "backend") is not None:
        distributed = getattr(config.option, "numprocesses", 0) or hasattr(config, "workerinput")
        from unified_blocks.backend.registry import available_backends, load_backend
        from unified_blocks.errors import BackendImportError, UnknownBackendError

        try:
            for name in backends(config):
                # Several processes import it in each of them, and fail there if it does not work.
                if not distributed or name not in available_backends():
                    load_backend(name)
        except (BackendImportError, UnknownBackendError) as error:
            raise pytest.UsageError(f"--backend: {error}") from error


def named(config: pytest.Config, option: str) -> list[str] | None:
    """What the option names; None when it is not given."""
    given: list[str] | None = getattr(config.option, f"unified_blocks_{option}", None)
    if given is None:
        return None
    return list(dict.fromkeys(name for value in given for name in value.split(",") if name))


def backends(config: pytest.Config) -> list[str]:
    """The names of the backends to run on: those named, or every registered one."""
    from unified_blocks.backend.registry import registered_backends, resolve_name

    chosen = named(config, "backend")
    return list(registered_backends()) if chosen is None else [resolve_name(n) for n in chosen]


def usable_backends(config: pytest.Config) -> list[str]:
    """Those of `backends` that can be imported."""
    return [name for name in backends(config) if problem_of(name) is None]


def problem_of(name: str) -> str | None:
    """Why the backend `name` cannot be used here; None when it can."""
    from unified_blocks.backend.registry import load_backend
    from unified_blocks.errors import BackendImportError

    try:
        load_backend(name)
    except BackendImportError as error:
        return str(error)
    return None


def targets(config: pytest.Config, every_device: bool) -> Iterator[Any]:
    """A parameter (backend, device, why not) for each backend, or each device of each."""
    for name in backends(config):
        problem = problem_of(name)
        if problem is not None:
            skip = [] if named(config, "backend") else [pytest.mark.skip(reason=problem)]
            yield pytest.param((name, "cpu", problem), id=f"{name}-cpu", marks=skip)
            continue
        for device, absent in devices(config, name) if every_device else (("cpu", None),):
            skip = [] if named(config, "device") or not absent else [pytest.mark.skip(absent)]
            yield pytest.param((name, device, absent), id=f"{name}-{device}", marks=skip)


def devices(config: pytest.Config, name: str) -> list[tuple[str, str | None]]:
    """The devices to run the backend `name` on; of one that is not there, why not."""
    from unified_blocks.backend.registry import load_backend

    backend = load_backend(name)
    seen = backend.devices()
    if any(device != "cpu" for device in seen):
        backend.exact_products()
    found: list[tuple[str, str | None]] = []
    for device in named(config, "device") or ["cpu", "gpu"]:
        if device == "gpu":
            gpus = [each for each in seen if each.startswith("gpu")]
            absent = f"{name} sees no GPU on this machine"
            found += [(gpu, None) for gpu in gpus] or [("gpu:0", absent)]
        else:
            found.append((device, None if device in seen else f"{name} sees no {device} here"))
    return list(dict.fromkeys(found))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if TARGET in metafunc.fixturenames:  # only where the fixtures that it sees are ours
        for_each = targets(metafunc.config, EVERY_DEVICE in metafunc.fixturenames)
        metafunc.parametrize(TARGET, list(for_each), indirect=True)


@pytest.fixture(name=TARGET)
def _target(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """(backend, device), the backend being the default during the test."""
    from unified_blocks.backend.registry import use_backend

    if not hasattr(request, "param"):
        pytest.fail(
            "backend_name, backend and device must be arguments of the test or of its fixtures; "
            "got one asked for while the test runs",
            pytrace=False,
        )
    name, device, problem = request.param
    if problem:
        pytest.fail(f"an option names it, so it must be there: {problem}", pytrace=False)
    with use_backend(name) as backend:
        skip_what_it_lacks(request.node, backend)
        yield name, device


def skip_what_it_lacks(node: Any, backend: Backend) -> None:
    """Skip the test when it is marked with a capability that the backend lacks."""
    from unified_blocks.backend.capabilities import why_lacking

    for mark in node.iter_markers("capability"):
        for name in mark.args:
            reason = why_lacking(backend, name)
            if reason:
                pytest.skip(f"{name}: {backend.title}: {reason}")


@pytest.fixture(name=EVERY_DEVICE)
def _every_device() -> None:
    """The id of a test for a backend and a device."""


@pytest.fixture
def backend_name(_unified_blocks_target: tuple[str, str]) -> str:
    """The name of the backend that this run of the test is on."""
    return _unified_blocks_target[0]


@pytest.fixture
def device(_unified_blocks_target: tuple[str, str], _unified_blocks_every_device: None) -> str:
    """The device that this run of the test is on: `"cpu"`, `"gpu:0"`, …"""
    return _unified_blocks_target[1]


@pytest.fixture
def backend(backend_name: str) -> Backend:
    """The backend that this run of the test is on."""
    from unified_blocks.backend.registry import load_backend

    return load_backend(backend_name)


@pytest.fixture
def assert_equivalent() -> Callable[..., None]:
    """`ub.assert_equivalent(a, b, inputs, …)`: two models are equivalent."""
    from unified_blocks import assert_equivalent

    return assert_equivalent
