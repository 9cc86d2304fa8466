"""Choosing a backend: names, order of precedence, threads, tasks, failures."""

import asyncio
import contextlib
import importlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint

import pytest

import unified_blocks as ub
from testbed.common import BACKENDS, normal, run
from unified_blocks.backend import registry

VARIABLE = registry.ENVIRONMENT_VARIABLE


@pytest.fixture
def fake(monkeypatch):
    """Two backends of a made-up framework that needs nothing, and two that do not work."""
    entries = {
        name: EntryPoint(name, value, registry.GROUP)
        for name, value in {
            "fake_one": "testbed.fake_backends:ONE",
            "fake_two": "testbed.fake_backends:TWO",
            "fake_missing": "fake_missing_adapter:BACKEND",
            "fake_broken": "testbed.fake_broken:BACKEND",
        }.items()
    }
    for name in ("fake_one", "fake_two", "fake_broken"):
        monkeypatch.setitem(sys.modules, name, type(sys)(name))
    monkeypatch.setattr(registry, "registered_backends", lambda: entries)
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture(autouse=True)
def restore():
    token = registry.default_backend.set(None)
    registry._first_installed.cache_clear()
    yield
    registry._first_installed.cache_clear()
    registry.default_backend.reset(token)


def test_the_three_backends_are_registered_in_order_of_preference():
    assert tuple(registry.registered_backends()) == BACKENDS


def test_the_first_installed_one_is_the_default(fake):
    assert ub.get_backend().name == "fake_one"
    assert ub.available_backends() == ["fake_one", "fake_two", "fake_broken"]


def test_the_environment_variable_names_the_default(fake, monkeypatch):
    monkeypatch.setenv(VARIABLE, "FAKE_two")
    assert ub.get_backend().name == "fake_two"


def test_set_backend_wins_over_the_environment_variable(fake, monkeypatch):
    monkeypatch.setenv(VARIABLE, "fake_two")
    ub.set_backend("fake_one")
    assert ub.get_backend().name == "fake_one"


def test_use_backend_nests_and_is_undone(fake):
    ub.set_backend("fake_two")
    with ub.use_backend("fake_one") as backend:
        assert backend is ub.get_backend("fake_one") is ub.get_backend()
        with ub.use_backend("fake_two"):
            assert ub.get_backend().name == "fake_two"
        assert ub.get_backend().name == "fake_one"
    assert ub.get_backend().name == "fake_two"


def test_use_backend_is_undone_after_an_error(fake):
    ub.set_backend("fake_two")
    with contextlib.suppress(KeyError), ub.use_backend("fake_one"):
        raise KeyError
    assert ub.get_backend().name == "fake_two"


@pytest.mark.parametrize(
    ("alias", "name"),
    [("pytorch", "torch"), ("tf", "tensorflow"), ("Keras", "tensorflow"), ("gluon", "mxnet")],
)
def test_aliases(alias, name):
    assert registry.resolve_name(alias) == name


def test_an_unknown_name_lists_the_names_and_the_nearest():
    message = (
        r"backend must be one of torch, tensorflow, mxnet \(or pytorch, tf, keras, gluon\); "
        r"got 'tensorfow'; did you mean 'tensorflow'\?"
    )
    with pytest.raises(ValueError, match=message):
        ub.set_backend("tensorfow")


def test_a_name_that_is_no_string():
    with pytest.raises(ub.UnknownBackendError, match="got None"):
        ub.set_backend(None)


def test_a_typo_in_the_environment_variable_is_an_error(fake, monkeypatch):
    monkeypatch.setenv(VARIABLE, "fake_tow")
    with pytest.raises(ValueError, match=rf"{VARIABLE}: backend must be one of.*'fake_two'\?"):
        ub.get_backend()


def test_an_environment_variable_that_names_a_missing_framework_is_an_error(fake, monkeypatch):
    monkeypatch.setenv(VARIABLE, "fake_missing")
    with pytest.raises(ImportError, match="not installed; run: pip install"):
        ub.MLP()


def test_a_framework_that_is_not_installed(fake):
    message = (
        r"backend 'fake_missing' needs its framework, which is not installed; run: pip install"
    )
    with pytest.raises(ImportError, match=message) as caught:
        ub.set_backend("fake_missing")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_framework_that_fails_to_import(fake):
    message = (
        r"'fake_broken' is installed but cannot be imported \(AttributeError: no such thing\); "
        r"to reinstall it, run: pip install"
    )
    with pytest.raises(ImportError, match=message) as caught:
        ub.set_backend("fake_broken")
    assert isinstance(caught.value.__cause__, AttributeError)


def test_the_command_names_the_extra():
    assert registry.install_command("mxnet") == 'pip install "unified-blocks[mxnet]"'


@pytest.mark.parametrize("name", ["fake_missing", "fake_broken", "nonsense"])
def test_a_failed_switch_changes_nothing(fake, name):
    ub.set_backend("fake_two")
    with pytest.raises(ub.UnifiedBlocksError):
        ub.set_backend(name)
    assert ub.get_backend().name == "fake_two"
    with pytest.raises(ub.UnifiedBlocksError), ub.use_backend(name):
        pytest.fail("the body of a failed switch must not run")
    assert ub.get_backend().name == "fake_two"


def test_without_any_framework_the_error_says_what_to_install(fake, monkeypatch):
    monkeypatch.setattr(registry, "_is_installed", lambda name: False)
    with pytest.raises(ImportError, match=r"no framework is installed; run: pip install.* or pip"):
        ub.get_backend()


def test_eight_threads_each_on_its_own_backend(fake):
    barrier = threading.Barrier(8)

    def work(i):
        name = ("fake_one", "fake_two")[i % 2]
        ub.set_backend(name)
        barrier.wait(timeout=60)  # all have switched before any looks
        return [ub.get_backend().name == name for _ in range(50)]

    with ThreadPoolExecutor(8) as pool:
        assert all(all(seen) for seen in pool.map(work, range(8)))


def test_eight_tasks_each_on_its_own_backend(fake):
    async def work(i):
        name = ("fake_one", "fake_two")[i % 2]
        ub.set_backend(name)
        seen = []
        for _ in range(50):
            await asyncio.sleep(0)
            seen.append(ub.get_backend().name == name)
        return seen

    async def all_of_them():
        return await asyncio.gather(*(work(i) for i in range(8)))

    assert all(all(seen) for seen in asyncio.run(all_of_them()))


def test_blocks_made_in_eight_threads_are_of_their_threads_backend():
    installed = ub.available_backends()
    if not installed:
        pytest.skip("no framework is installed")
    for name in installed:  # TensorFlow's first operations of all can end a process of threads
        ub.MLP.on(name)(8, 3)(ub.from_numpy(normal(1, 2), name))
    barrier = threading.Barrier(8)

    def work(i):
        name = installed[i % len(installed)]
        with ub.use_backend(name):
            barrier.wait(timeout=60)
            net = ub.MLP(8, 3)
            output = net(ub.from_numpy(normal(1, 2)))
            return ub.backend_of(net).name == ub.backend_of(output).name == name

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def test_an_object_keeps_its_backend_when_the_default_changes(backend_name):
    net = ub.MLP(8, 3, in_units=2)
    for other in ub.available_backends():
        with ub.use_backend(other):
            assert ub.backend_of(net).name == backend_name
            assert run(net, normal(1, 2)).shape == (1, 3)


def test_available_backends_are_those_that_can_be_found(monkeypatch):
    for name in ub.available_backends():
        assert ub.get_backend(name).name == name


def test_a_folder_of_the_same_name_is_no_framework(fake, tmp_path, monkeypatch):
    (tmp_path / "fake_missing").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert "fake_missing" not in ub.available_backends()


@pytest.fixture
def looked_for(monkeypatch):
    """The frameworks that are looked for, in order, with nothing remembered."""
    found, find = [], registry._is_installed

    def counted(name):
        found.append(name)
        return find(name)

    monkeypatch.setattr(registry, "_is_installed", counted)
    return found


def test_the_default_is_looked_for_once(fake, looked_for):
    for _ in range(3):
        assert registry.default_name() == "fake_one"
    assert looked_for == list(registry.registered_backends())


def test_the_environment_variable_is_seen_at_once(fake, looked_for, monkeypatch):
    assert registry.default_name() == "fake_one"
    monkeypatch.setenv(VARIABLE, "fake_two")
    assert registry.default_name() == "fake_two"
    monkeypatch.delenv(VARIABLE)
    assert registry.default_name() == "fake_one"
    assert looked_for == list(registry.registered_backends())


def test_what_can_no_longer_be_imported_is_no_default(fake, looked_for, monkeypatch):
    assert registry.default_name() == "fake_one"
    monkeypatch.setitem(sys.modules, "fake_one", None)
    assert registry.default_name() == "fake_two"


def test_what_is_installed_later_is_found(fake, looked_for, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fake_one")
    assert registry.default_name() == "fake_two"
    (tmp_path / "fake_one.py").touch()
    importlib.invalidate_caches()
    assert registry.default_name() == "fake_one"
